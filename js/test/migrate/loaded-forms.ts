// Forms in which a page loads Forge Realtime while it runs, exports it again, or names it elsewhere.

import type { Form } from './form.js';

const dynamic: Form[] = [
  {
    name: 'a dynamic import with a pattern',
    file: 'mjs',
    before: `const { realtime } = await import('@forge/bridge');\n`,
    after: `const { realtime } = await import('sealwire');\n`,
  },
  {
    name: 'a dynamic import with a pattern of other names too',
    file: 'tsx',
    before: `async function f() {\n\tconst { invoke, realtime } = await import('@forge/bridge');\n}\n`,
    after:
      `async function f() {\n\tconst { invoke } = await import('@forge/bridge');\n` +
      `\tconst { realtime } = await import('sealwire');\n}\n`,
  },
  {
    name: 'a dynamic import and a member',
    file: 'js',
    before: `const live = (await import('@forge/bridge')).realtime;\n`,
    after: `const live = (await import('sealwire')).realtime;\n`,
  },
  {
    name: 'a dynamic import in a variable',
    file: 'js',
    before: `const bridge = await import('@forge/bridge');\nbridge.realtime.publish('a', {});\nbridge.view;\n`,
    after:
      `const bridge = await import('@forge/bridge');\nconst sealwire = await import('sealwire');\n` +
      `sealwire.realtime.publish('a', {});\nbridge.view;\n`,
  },
  {
    name: 'a dynamic import and then',
    file: 'js',
    before:
      `import('@forge/bridge').then(({ realtime }) => realtime);\n` +
      `import('@forge/bridge').then((b) => b.realtime.publish('a', {}));\n` +
      `import('@forge/bridge').then((b) => b.invoke('x'));\n`,
    after:
      `import('sealwire').then(({ realtime }) => realtime);\n` +
      `import('sealwire').then((b) => b.realtime.publish('a', {}));\n` +
      `import('@forge/bridge').then((b) => b.invoke('x'));\n`,
  },
  {
    name: 'a promise of the module that goes elsewhere, and one that is used for both',
    file: 'js',
    before:
      `const loading = import('@forge/bridge');\nimport('@forge/bridge').then(use);\n` +
      `import('@forge/bridge').then((b) => b.invoke(b.realtime));\nimport('@forge/bridge').then(({ invoke, realtime }) => 1);\n`,
    lines: [1, 2, 3, 4],
  },
  {
    name: 'types of an import',
    file: 'ts',
    before: `let a: import('@forge/bridge').PublishResult;\nlet b: typeof import('@forge/bridge').realtime;\nlet c: import('@forge/bridge').FullContext;\n`,
    after: `let a: import('sealwire').PublishResult;\nlet b: typeof import('sealwire').realtime;\nlet c: import('@forge/bridge').FullContext;\n`,
  },
  {
    name: 'the type of the whole module',
    file: 'ts',
    before: `let b: typeof import('@forge/bridge');\n`,
    lines: [1],
  },
];

const others: Form[] = [
  {
    name: 're-exports',
    file: 'ts',
    before: `export { realtime as live, invoke, Jira } from '@forge/bridge';\nexport type { PublishResult } from '@forge/bridge';\n`,
    after:
      `export { invoke } from '@forge/bridge';\nexport { realtime as live, Jira } from 'sealwire';\n` +
      `export type { PublishResult } from 'sealwire';\n`,
  },
  {
    name: 're-exports of everything',
    file: 'js',
    before: `export * from '@forge/bridge';\nexport * as bridge from '@forge/bridge';\n`,
    lines: [1, 2],
  },
  {
    name: 'a re-export of everything beside one of realtime',
    file: 'js',
    before: `export * from '@forge/bridge';\nexport { realtime } from 'sealwire';\n`,
    lines: [],
  },
  {
    name: 'a mock of realtime in a test, and one of something else',
    file: 'js',
    before: `jest.mock('@forge/bridge', () => ({ realtime: {} }));\njest.mock('@forge/bridge', () => ({ invoke() {} }));\n`,
    lines: [1],
  },
  {
    name: 'the name of an early version',
    file: 'js',
    before: `import { invokeService, __realtime } from '@forge/bridge';\n`,
    lines: [1],
  },
  {
    name: 'an internal file of the bridge',
    file: 'js',
    before: `import { realtime } from '@forge/bridge/out/realtime';\nimport { invoke } from '@forge/bridge/out/invoke';\n`,
    lines: [1],
  },
  {
    name: 'decorators, a class and the syntax of a newer language',
    file: 'ts',
    before:
      `import { realtime } from '@forge/bridge';\n@tag class A { @field accessor x = 1; static { realtime; } }\n` +
      `const t = <const>['a'] satisfies string[];\n`,
    after:
      `import { realtime } from 'sealwire';\n@tag class A { @field accessor x = 1; static { realtime; } }\n` +
      `const t = <const>['a'] satisfies string[];\n`,
  },
];

export const LOADED_FORMS: readonly Form[] = [...dynamic, ...others];
