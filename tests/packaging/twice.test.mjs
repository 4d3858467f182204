// A process that loads the package both by `import` and by `require` has one of everything that counts.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import * as esbuild from 'esbuild';

import { node, project } from './support/project.mjs';

/** Both loads of each entry, and what must be one. */
const BODY = `
  async function main() {
    const seen = {};
    seen.connection = page.realtime === pageAgain.realtime && typeof page.realtime.publish === 'function';
    seen.errors = page.SealwireError === pageAgain.SealwireError && page.SealwireError === resolverAgain.SealwireError;
    const thrown = await pageAgain.realtime.publish('n', 7).catch((error) => error);
    seen.instance = thrown instanceof page.SealwireError && thrown.name === 'SealwireError';
    // A handler that one of them wraps, and a function of the other called during the invocation.
    const own = resolverAgain.createRealtime({ authorize: () => true, environment: 'test', trustUnsignedContext: true });
    const handler = resolver.wrap(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return own.scope({ contextOverrides: ['issue'] });
    });
    const context = { moduleKey: 'm', extension: { issue: { id: '7' } } };
    seen.scope = await handler({ call: {}, context }, { installContext: 'ari:1' });
    // The test relay of one, and a handler of the other.
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

test('so they do in one bundle', async (t) => {
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

test('the hooks of one find the provider of the other', (t) => {
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
