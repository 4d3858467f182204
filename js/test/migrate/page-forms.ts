// Every form in which a page can import Forge Realtime, before and after the migration. A form without `after` stays, and is
// reported at `lines`.

import type { Form } from './form.js';
import { LOADED_FORMS } from './loaded-forms.js';

const imports: Form[] = [
  {
    name: 'an import of realtime alone',
    file: 'js',
    before: `import { realtime } from '@forge/bridge';\n`,
    after: `import { realtime } from 'sealwire';\n`,
  },
  {
    name: 'an import with other names',
    file: 'jsx',
    before: `import { invoke, realtime, view } from "@forge/bridge";\n\nexport const App = () => <p>{typeof realtime}</p>;\n`,
    after:
      `import { invoke, view } from "@forge/bridge";\nimport { realtime } from "sealwire";\n\n` +
      `export const App = () => <p>{typeof realtime}</p>;\n`,
  },
  {
    name: 'the first and the last of several names, with their constants',
    file: 'ts',
    before: `import { realtime, invoke, Jira } from '@forge/bridge'\n`,
    after: `import { invoke } from '@forge/bridge'\nimport { realtime, Jira } from 'sealwire'\n`,
  },
  {
    name: 'renamed names',
    file: 'js',
    before: `import { realtime as live, Jira as J, showFlag as flag } from '@forge/bridge';\n`,
    after: `import { showFlag as flag } from '@forge/bridge';\nimport { realtime as live, Jira as J } from 'sealwire';\n`,
  },
  {
    name: 'names on several lines, with comments and a trailing comma',
    file: 'js',
    before: `import {\n  invoke, // asks the resolver\n  realtime,\n  // where the page is\n  view,\n} from '@forge/bridge';\n`,
    after:
      `import {\n  invoke, // asks the resolver\n  // where the page is\n  view,\n} from '@forge/bridge';\n` +
      `import { realtime } from 'sealwire';\n`,
  },
  {
    name: 'only moved names on several lines keep their layout',
    file: 'js',
    before: `import {\n  realtime, // live\n  Jira,\n} from '@forge/bridge';\n`,
    after: `import {\n  realtime, // live\n  Jira,\n} from 'sealwire';\n`,
  },
  {
    name: 'a file with a byte order mark and the line breaks of Windows',
    file: 'js',
    before: `\uFEFFimport { invoke, realtime } from '@forge/bridge';\r\nrealtime;\r\n`,
    after: `\uFEFFimport { invoke } from '@forge/bridge';\r\nimport { realtime } from 'sealwire';\r\nrealtime;\r\n`,
  },
  {
    name: 'imports of types',
    file: 'ts',
    before: `import type { PublishOptions, FullContext } from '@forge/bridge';\n`,
    after: `import type { FullContext } from '@forge/bridge';\nimport type { PublishOptions } from 'sealwire';\n`,
  },
  {
    name: 'types among values',
    file: 'ts',
    before: `import { type SubscriptionOptions, realtime, type FullContext } from '@forge/bridge';\n`,
    after:
      `import { type FullContext } from '@forge/bridge';\n` +
      `import { type SubscriptionOptions, realtime } from 'sealwire';\n`,
  },
  {
    name: 'a name in quotes',
    file: 'js',
    before: `import { "realtime" as live } from '@forge/bridge';\n`,
    after: `import { "realtime" as live } from 'sealwire';\n`,
  },
  {
    name: 'types of Flow',
    file: 'js',
    before: `// @flow\nimport { realtime } from '@forge/bridge';\nconst topic: string = 'notes';\nrealtime.publish(topic, {});\n`,
    after: `// @flow\nimport { realtime } from 'sealwire';\nconst topic: string = 'notes';\nrealtime.publish(topic, {});\n`,
  },
];

const wholes: Form[] = [
  {
    name: 'a namespace that is used for realtime only',
    file: 'ts',
    before: `import * as bridge from '@forge/bridge';\nbridge.realtime.publish('a', { b: bridge.Jira.Issue });\n`,
    after: `import * as sealwire from 'sealwire';\nsealwire.realtime.publish('a', { b: sealwire.Jira.Issue });\n`,
  },
  {
    name: 'a namespace that is used for other things too',
    file: 'js',
    before: `import * as bridge from '@forge/bridge';\nbridge.invoke('x');\nbridge?.realtime.subscribe('a', f);\n`,
    after:
      `import * as bridge from '@forge/bridge';\nimport * as sealwire from 'sealwire';\n` +
      `bridge.invoke('x');\nsealwire?.realtime.subscribe('a', f);\n`,
  },
  {
    name: 'a namespace, read by a string, a type and a pattern',
    file: 'ts',
    before:
      `import * as b from '@forge/bridge';\nconst a = b['realtime'];\nlet o: b.PublishOptions;\n` +
      `const { realtime, invoke } = b;\n`,
    after:
      `import * as b from '@forge/bridge';\nimport * as sealwire from 'sealwire';\nconst a = sealwire['realtime'];\n` +
      `let o: sealwire.PublishOptions;\nconst { invoke } = b;\nconst { realtime } = sealwire;\n`,
  },
  {
    name: 'a default import, as some bundlers permit',
    file: 'js',
    before: `import bridge, { view } from '@forge/bridge';\nbridge.realtime.publish('a', {});\nview;\n`,
    after:
      `import { view } from '@forge/bridge';\nimport * as sealwire from 'sealwire';\n` +
      `sealwire.realtime.publish('a', {});\nview;\n`,
  },
  {
    name: 'a namespace whose free name is taken',
    file: 'js',
    before: `import * as bridge from '@forge/bridge';\nconst sealwire = 1;\nbridge.realtime;\n`,
    after: `import * as sealwireRealtime from 'sealwire';\nconst sealwire = 1;\nsealwireRealtime.realtime;\n`,
  },
  {
    name: 'a namespace without realtime',
    file: 'js',
    before: `import * as bridge from '@forge/bridge';\nbridge.invoke('x');\n`,
    lines: [],
  },
  {
    name: 'a namespace that is passed on',
    file: 'js',
    before: `import * as bridge from '@forge/bridge';\nuse(bridge);\nbridge[name];\n`,
    lines: [2, 3],
  },
  {
    name: 'a namespace whose name means something else in a function',
    file: 'js',
    before: `import * as bridge from '@forge/bridge';\nfunction f(bridge) {\n  return bridge.realtime;\n}\nbridge.realtime;\n`,
    lines: [3, 5],
  },
  {
    name: 'an import with a property of the same name',
    file: 'js',
    before: `import * as bridge from '@forge/bridge';\nconst o = { bridge: 1 };\no.bridge.realtime;\nbridge.realtime;\n`,
    after: `import * as sealwire from 'sealwire';\nconst o = { bridge: 1 };\no.bridge.realtime;\nsealwire.realtime;\n`,
  },
];

const commonJs: Form[] = [
  {
    name: 'require with a pattern',
    file: 'js',
    before: `const { realtime, Jira } = require('@forge/bridge');\n`,
    after: `const { realtime, Jira } = require('sealwire');\n`,
  },
  {
    name: 'require with a pattern of other names too',
    file: 'cjs',
    before: `function f() {\n  const { invoke, realtime: live = none } = require('@forge/bridge');\n}\n`,
    after:
      `function f() {\n  const { invoke } = require('@forge/bridge');\n` +
      `  const { realtime: live = none } = require('sealwire');\n}\n`,
  },
  {
    name: 'require among several variables',
    file: 'js',
    before: `const a = 1, { invoke, realtime } = require('@forge/bridge'), b = 2;\n`,
    after: `const a = 1, { invoke } = require('@forge/bridge'), { realtime } = require('sealwire'), b = 2;\n`,
  },
  {
    name: 'require and a member',
    file: 'js',
    before:
      'const live = require(`@forge/bridge`).realtime;\nconst { subscribe } = require("@forge/bridge")["realtime"];\n',
    after:
      'const live = require(`sealwire`).realtime;\nconst { subscribe } = require("sealwire")["realtime"];\n',
  },
  {
    name: 'require of the whole module',
    file: 'js',
    before: `const bridge = require('@forge/bridge');\nbridge.invoke('x');\nbridge.realtime.publish('a', {});\n`,
    after:
      `const bridge = require('@forge/bridge');\nconst sealwire = require('sealwire');\nbridge.invoke('x');\n` +
      `sealwire.realtime.publish('a', {});\n`,
  },
  {
    name: 'require of the whole module for realtime only',
    file: 'js',
    before: `const bridge = require('@forge/bridge');\nbridge.realtime.publish('a', {});\n`,
    after: `const sealwire = require('sealwire');\nsealwire.realtime.publish('a', {});\n`,
  },
  {
    name: 'an assignment to a pattern',
    file: 'js',
    before: `let realtime;\n({ realtime } = require('@forge/bridge'));\n`,
    after: `let realtime;\n({ realtime } = require('sealwire'));\n`,
  },
  {
    name: 'a pattern with a rest, an assignment of several names, and a module in an argument',
    file: 'js',
    before:
      `const { invoke, ...rest } = require('@forge/bridge');\nlet a, realtime;\n` +
      `({ a, realtime } = require('@forge/bridge'));\nuse(require('@forge/bridge'));\n`,
    lines: [1, 3, 4],
  },
  {
    name: 'a member that a test replaces',
    file: 'js',
    before: `const bridge = require('@forge/bridge');\nbridge.realtime = fake;\ndelete bridge.realtime;\n`,
    lines: [2, 3],
  },
  {
    name: 'require without realtime, or for its side effect',
    file: 'js',
    before: `const { invoke } = require('@forge/bridge');\nrequire('@forge/bridge').view;\nrequire('@forge/bridge');\n`,
    lines: [],
  },
  {
    name: "TypeScript's import of a CommonJS module",
    file: 'cts',
    before: `import bridge = require('@forge/bridge');\nimport live = bridge.realtime;\nbridge.invoke('x');\n`,
    after:
      `import bridge = require('@forge/bridge');\nimport sealwire = require('sealwire');\n` +
      `import live = sealwire.realtime;\nbridge.invoke('x');\n`,
  },
];

export const PAGE_FORMS: readonly Form[] = [...imports, ...wholes, ...commonJs, ...LOADED_FORMS];
