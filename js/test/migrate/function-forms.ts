// Every form in which a function can import Forge Realtime, before and after the migration.

import type { Form } from './form.js';

export const FUNCTION_FORMS: readonly Form[] = [
  {
    name: 'an import',
    file: 'js',
    before: `import { publish, signRealtimeToken as sign } from '@forge/realtime';\n`,
    after: `import { publish, signRealtimeToken as sign } from 'sealwire/realtime';\n`,
  },
  {
    name: 'an import for its side effect, a namespace and a type',
    file: 'ts',
    before: `import '@forge/realtime';\nimport * as forge from "@forge/realtime";\nimport type { Jira } from '@forge/realtime';\n`,
    after: `import 'sealwire/realtime';\nimport * as forge from "sealwire/realtime";\nimport type { Jira } from 'sealwire/realtime';\n`,
  },
  {
    name: 'a default import',
    file: 'js',
    before: `import forge from '@forge/realtime';\nforge.publish('a', {});\n`,
    after: `import * as forge from 'sealwire/realtime';\nforge.publish('a', {});\n`,
  },
  {
    name: 'a default import with names',
    file: 'js',
    before: `import forge, { publish } from '@forge/realtime';\n`,
    after: `import * as forge from 'sealwire/realtime';\nimport { publish } from 'sealwire/realtime';\n`,
  },
  {
    name: 'require',
    file: 'js',
    before: `const { publish } = require('@forge/realtime');\nconst forge = require("@forge/realtime");\n`,
    after: `const { publish } = require('sealwire/realtime');\nconst forge = require("sealwire/realtime");\n`,
  },
  {
    name: 'dynamic imports',
    file: 'mts',
    before: `const { publish } = await import('@forge/realtime');\nimport('@forge/realtime').then(use);\n`,
    after: `const { publish } = await import('sealwire/realtime');\nimport('sealwire/realtime').then(use);\n`,
  },
  {
    name: 're-exports',
    file: 'js',
    before: `export { publish } from '@forge/realtime';\nexport * from '@forge/realtime';\nexport * as forge from '@forge/realtime';\n`,
    after: `export { publish } from 'sealwire/realtime';\nexport * from 'sealwire/realtime';\nexport * as forge from 'sealwire/realtime';\n`,
  },
  {
    name: "TypeScript's import of a CommonJS module, and a type of an import",
    file: 'ts',
    before: `import forge = require('@forge/realtime');\nlet p: typeof import('@forge/realtime').publish;\n`,
    after: `import forge = require('sealwire/realtime');\nlet p: typeof import('sealwire/realtime').publish;\n`,
  },
  {
    name: 'the default export of a dynamic import',
    file: 'js',
    before: `const forge = (await import('@forge/realtime')).default;\nconst { default: f } = await import('@forge/realtime');\n`,
    lines: [1, 2],
  },
  {
    name: 'a mock in a test, and an internal file',
    file: 'js',
    before: `jest.mock('@forge/realtime');\nimport { validateToken } from '@forge/realtime/out/utils';\n`,
    lines: [1, 2],
  },
];
