// The installed package in Node, as ES modules and as CommonJS.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { node, project, root } from './support/project.mjs';
import { assertResolverWorks } from './support/resolver-outcome.mjs';

const exercise = readFileSync(path.join(root, 'tests/packaging/app/exercise-resolver.mjs'), 'utf8');

const PROPERTIES = ['Bitbucket', 'Compass', 'Confluence', 'Forge', 'Jira', 'JiraServiceManagement'];
const PAGE = [...PROPERTIES, 'SealwireError', 'createRealtime', 'property', 'realtime'];
const RESOLVER = [
  ...[
    ...PROPERTIES,
    'SealwireError',
    'createRealtime',
    'createStream',
    'property',
    'publish',
    'publishGlobal',
  ],
  ...[
    'publishStream',
    'signRealtimeToken',
    'verifyContent',
    'verifyDashboard',
    'verifyIssue',
    'verifyProject',
  ],
  ...['verifyRequest', 'wrap'],
];

/** Loads both entries outside Atlassian, and calls functions that need Forge. */
const outside = (imports) => `
${imports}
async function main() {
  const { errors } = await page.realtime.publish('n', 'x');
  const subscribing = await page.realtime.subscribe('n', () => {}).catch((error) => error);
  const unset = await resolver.publishGlobal('n', 'x', { context: { installContext: 'ari:1' } }).catch((error) => error);
  console.log(JSON.stringify({
    page: Object.keys(page).filter((name) => name !== 'default' && name !== '__esModule' && name !== 'module.exports').sort(),
    resolver: Object.keys(resolver).filter((name) => name !== 'default' && name !== '__esModule' && name !== 'module.exports').sort(),
    errors,
    subscribing: [subscribing instanceof page.SealwireError, subscribing.code],
    unset: [unset instanceof resolver.SealwireError, unset.message],
  }));
  process.exit(0);
}
main();
`;

function assertOutside(printed) {
  const seen = JSON.parse(printed);
  assert.deepEqual(seen.page, PAGE);
  assert.deepEqual(seen.resolver, RESOLVER);
  assert.match(seen.errors[0], /^INVALID_ARGUMENT: There is no Forge bridge here/);
  assert.deepEqual(seen.subscribing, [true, 'INVALID_ARGUMENT']);
  assert.equal(seen.unset[0], true);
  assert.match(seen.unset[1], /SEALWIRE_APP is not set/);
}

test('as ES modules in Node, both entries load, and explain their errors outside Atlassian', (t) => {
  const imports = `import * as page from 'sealwire';\nimport * as resolver from 'sealwire/resolver';`;
  assertOutside(node(project(t, { files: { 'main.mjs': outside(imports) } }), 'main.mjs'));
});

test('as CommonJS in Node, both entries load, and explain their errors outside Atlassian', (t) => {
  const imports = `const page = require('sealwire');\nconst resolver = require('sealwire/resolver');`;
  assertOutside(node(project(t, { files: { 'main.cjs': outside(imports) } }), 'main.cjs'));
});

/** Renders a component, and prints whether its hooks use the default connection of the main entry. */
const rendered = (load) => `${load}
  let seen;
  const { usePublish } = hooks;
  function Probe() {
    seen = [hooks.useRealtime() === page.realtime, hooks.useRealtimeState(), typeof usePublish('n')];
    return null;
  }
  server.renderToString(createElement(Probe));
  console.log(JSON.stringify([Object.keys(hooks).filter((name) => name.startsWith('use')).sort(), seen]));`;

test('the hooks and the main entry share one default connection, as ES modules and as CommonJS', (t) => {
  const files = {
    'main.mjs': rendered(`import * as hooks from 'sealwire/react';
      import * as page from 'sealwire';
      import { createElement } from 'react';
      import * as server from 'react-dom/server';`),
    'main.cjs': rendered(`const hooks = require('sealwire/react');
      const page = require('sealwire');
      const { createElement } = require('react');
      const server = require('react-dom/server');`),
  };
  const folder = project(t, { files, packages: ['react', 'react-dom'] });
  const expected = [
    ['useChannel', 'usePresence', 'usePublish', 'useRealtime', 'useRealtimeState'],
    [true, 'idle', 'function'],
  ];
  assert.deepEqual(JSON.parse(node(folder, 'main.mjs', '--preserve-symlinks')), expected);
  assert.deepEqual(JSON.parse(node(folder, 'main.cjs', '--preserve-symlinks')), expected);
});

/** Uses sealwire/testing, and prints whether its errors are those of the main entry. */
const tested = (load) => `${load}
  async function main() {
    const relay = createTestRelay();
    const [ada, ben] = [relay.realtime(), relay.realtime()];
    const received = [];
    await ben.subscribe('n', (payload) => received.push(payload));
    await ada.publish('n', { text: 'hello' });
    await relay.settled();
    const refused = await ada.subscribe('n', () => {}, { contextOverrides: ['board'] }).catch((error) => error);
    console.log(JSON.stringify([received, relay.published().length, refused instanceof SealwireError, refused.code]));
    // Node must exit by itself here.
  }
  main();`;

test('sealwire/testing works in Node without network and core, as an ES module and as CommonJS', (t) => {
  const files = {
    'main.mjs': tested(
      `import { createTestRelay } from 'sealwire/testing';\nimport { SealwireError } from 'sealwire';`,
    ),
    'main.cjs': tested(
      `const { createTestRelay } = require('sealwire/testing');\nconst { SealwireError } = require('sealwire');`,
    ),
  };
  const folder = project(t, { files });
  rmSync(path.join(folder, 'node_modules/sealwire/dist/chunks/core-wasm.js'));
  rmSync(path.join(folder, 'node_modules/sealwire/dist/chunks/core-js.cjs'));
  const expected = [[{ text: 'hello' }], 1, true, 'SCOPE_REFUSED'];
  assert.deepEqual(JSON.parse(node(folder, 'main.mjs')), expected);
  assert.deepEqual(JSON.parse(node(folder, 'main.cjs')), expected);
});

test('a resolver in plain Node mints a session and seals, as an ES module', (t) => {
  const main = `import * as sealwire from 'sealwire/resolver';
    import { exerciseResolver } from './exercise.mjs';
    console.log(JSON.stringify(await exerciseResolver(sealwire)));`;
  const folder = project(t, { files: { 'main.mjs': main, 'exercise.mjs': exercise } });
  assertResolverWorks(node(folder, 'main.mjs'));
});

test('a resolver in plain Node mints a session and seals, as CommonJS', (t) => {
  const main = `const sealwire = require('sealwire/resolver');
    import('./exercise.mjs')
      .then(({ exerciseResolver }) => exerciseResolver(sealwire))
      .then((outcome) => console.log(JSON.stringify(outcome)));`;
  const folder = project(t, { files: { 'main.cjs': main, 'exercise.mjs': exercise } });
  assertResolverWorks(node(folder, 'main.cjs'));
});

test('each build of the core loads in Node, as an ES module and as CommonJS', (t) => {
  const body = `async function main() {
    const seen = [];
    for (const core of [undefined, 'wasm', 'js']) {
      const realtime = createRealtime({ core, requestTimeoutMs: 2_000, session: () => { throw new Error('of the app'); } });
      const { errors } = await realtime.publish('n', 'x');
      seen.push([realtime.core, errors[0].split(':')[0]]);
      realtime.close();
    }
    console.log(JSON.stringify(seen));
    process.exit(0);
  }
  main();`;
  const files = {
    'main.mjs': `import { createRealtime } from 'sealwire';\n${body}`,
    'main.cjs': `const { createRealtime } = require('sealwire');\n${body}`,
  };
  const folder = project(t, { files });
  const expected = ['wasm', 'wasm', 'js'].map((core) => [core, 'SESSION_UNAVAILABLE']);
  assert.deepEqual(JSON.parse(node(folder, 'main.mjs')), expected);
  assert.deepEqual(JSON.parse(node(folder, 'main.cjs')), expected);
});

test('the installed package has every file that it exports and no dependencies', (t) => {
  const folder = path.join(project(t), 'node_modules', 'sealwire');
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  assert.deepEqual(manifest.dependencies ?? {}, {});
  for (const entry of ['.', './resolver', './react', './testing']) {
    for (const condition of ['import', 'require']) {
      assert.equal(Object.keys(manifest.exports[entry][condition])[0], 'types');
      for (const file of Object.values(manifest.exports[entry][condition]))
        readFileSync(path.join(folder, file));
    }
  }
  assert.ok(readFileSync(path.join(folder, 'README.md'), 'utf8').startsWith('# sealwire'));
});

test('sealwire/realtime is sealwire/resolver, as an ES module and as CommonJS', (t) => {
  const main = `
    import { createRequire } from 'node:module';
    import * as resolver from 'sealwire/resolver';
    import * as realtime from 'sealwire/realtime';
    const require = createRequire(import.meta.url);
    console.log(realtime === resolver, require('sealwire/realtime') === require('sealwire/resolver'));`;
  assert.equal(node(project(t, { files: { 'main.mjs': main } }), 'main.mjs'), 'true true\n');
});
