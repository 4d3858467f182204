// A process that loads the package both by `import` and by `require` has one connection, one error class, one context of
// invocations and one test relay.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import * as esbuild from 'esbuild';

import { node, project } from './support/project.mjs';

/** Compares both copies of each entry. */
const BODY = `
  async function main() {
    const seen = {};
    seen.connection = page.realtime === pageAgain.realtime && typeof page.realtime.publish === 'function';
    seen.errors = page.SealwireError === pageAgain.SealwireError && page.SealwireError === resolverAgain.SealwireError;
    const thrown = await pageAgain.realtime.publish('n', 7).catch((error) => error);
    seen.instance = thrown instanceof page.SealwireError && thrown.name === 'SealwireError';
    // One copy wraps a handler, which calls a function of the other copy.
    const own = resolverAgain.createRealtime({ authorize: () => true, environment: 'test', trustUnsignedContext: true });
    const handler = resolver.wrap(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return own.scope({ contextOverrides: ['issue'] });
    });
    const context = { moduleKey: 'm', extension: { issue: { id: '7' } } };
    seen.scope = await handler({ call: {}, context }, { installContext: 'ari:1' });
    // The test relay of one copy invokes a handler of the other.
    const relay = testing.createTestRelay();
    const adding = resolverAgain.wrap(async () => resolverAgain.publishGlobal('n', 'x'));
    const { eventId } = await relay.invoke(adding, 'add');
    seen.published = eventId === relay.published()[0]?.eventId;
    console.log(JSON.stringify(seen));
    process.exit(0);
  }
  main();
`;

const EXPECTED = { connection: true, errors: true, instance: true, scope: { issue: '7' }, published: true };

const MAIN = `
  import { createRequire } from 'node:module';
  import * as page from 'sealwire';
  import * as resolver from 'sealwire/resolver';
  import * as testing from 'sealwire/testing';
  const require = createRequire(import.meta.url);
  const pageAgain = require('sealwire');
  const resolverAgain = require('sealwire/resolver');
  ${BODY}`;

test('import and require of the package share connection, errors, invocations and the test relay', (t) => {
  const folder = project(t, { files: { 'main.mjs': MAIN } });
  assert.deepEqual(JSON.parse(node(folder, 'main.mjs')), EXPECTED);
});

test('import and require in one bundle share the same', async (t) => {
  const main = `
    import * as page from 'sealwire';
    import * as resolver from 'sealwire/resolver';
    import * as testing from 'sealwire/testing';
    const pageAgain = require('sealwire');
    const resolverAgain = require('sealwire/resolver');
    ${BODY}`;
  const folder = project(t, { files: { 'main.mjs': main } });
  await esbuild.build({
    entryPoints: [path.join(folder, 'main.mjs')],
    outfile: path.join(folder, 'bundle.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['@forge/*'],
    logLevel: 'silent',
  });
  assert.deepEqual(JSON.parse(node(folder, 'bundle.cjs')), EXPECTED);
});

test('the hooks of a required copy find the provider of an imported copy', (t) => {
  const main = `
    import { createRequire } from 'node:module';
    import { createElement } from 'react';
    import * as server from 'react-dom/server';
    import { createRealtime } from 'sealwire';
    import { RealtimeProvider } from 'sealwire/react';
    const { useRealtime } = createRequire(import.meta.url)('sealwire/react');
    const realtime = createRealtime();
    let found;
    const Probe = () => ((found = useRealtime()), null);
    server.renderToString(createElement(RealtimeProvider, { realtime }, createElement(Probe)));
    console.log(JSON.stringify(found === realtime));`;
  const folder = project(t, { files: { 'main.mjs': main }, packages: ['react', 'react-dom'] });
  assert.equal(JSON.parse(node(folder, 'main.mjs', '--preserve-symlinks')), true);
});
