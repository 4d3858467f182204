// sealwire/testing in the test runners that apps use, and in a browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

import * as esbuild from 'esbuild';

import { runPage } from './support/chromium.mjs';
import { project, root, write } from './support/project.mjs';

/** A page and a handler of the app exchange messages on the test relay. */
const MEET = `
  async function meet() {
    const relay = createTestRelay();
    const realtime = createRealtime({ authorize: () => true });
    const resolver = {
      'sealwire:session': realtime.session,
      add: async ({ payload }) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return realtime.publish('notes', payload);
      },
    };
    const handler = realtime.wrap(({ call, context }, runtime) =>
      resolver[call.functionKey]({
        payload: call.payload,
        context: { ...context, installContext: runtime.installContext, accountId: runtime.principal.accountId },
      }),
    );
    const page = relay.realtime({ handler, context: { moduleKey: 'm', extension: { issue: { id: '7' } } } });
    const received = [];
    await page.subscribe('notes', (note) => received.push(note));
    for (const lost of [new Map(), new Set(), Promise.resolve(), new Error('x'), /x/, new ArrayBuffer(1), new Date(NaN)]) {
      const refused = await page.publish('notes', { lost }).catch((error) => error);
      if (refused.code !== 'INVALID_ARGUMENT') throw new Error(String(lost));
    }
    await page.publish('notes', { text: 'from the page: ü € 😀' });
    await relay.invoke(handler, 'add', { text: 'from a function: ü € 😀' }, page);
    const stream = page.stream('answers', { id: 'a' });
    await stream.ready;
    await relay.run(() => realtime.publishStream('answers', ['one ', 'two'], { id: 'a' }), page);
    await relay.settled();
    return [...received.map(({ text }) => text), await stream.text()];
  }
`;

const EXPECTED = ['from the page: ü € 😀', 'from a function: ü € 😀', 'one two'];

const TEST = `
  test('meet', async () => {
    const environment = typeof window === 'undefined' ? 'node' : 'page';
    expect([environment, ...(await meet())]).toEqual(JSON.parse(process.env.EXPECTED));
  });
`;

const bin = (name) => path.join(root, 'node_modules/.bin', name);

function runs(command, args, folder, environment) {
  const env = { ...process.env, CI: 'true', EXPECTED: JSON.stringify([environment, ...EXPECTED]) };
  // A failed test throws an error with the output of the runner.
  return execFileSync(command, args, {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

for (const environment of ['node', 'jsdom']) {
  test(`an app's test passes under Jest in its ${environment} environment`, (t) => {
    const imports = `const { createTestRelay } = require('sealwire/testing');
      const { createRealtime } = require('sealwire/resolver');`;
    const folder = project(t, { files: { 'app.test.cjs': imports + MEET + TEST } });
    const config = {
      rootDir: folder,
      testEnvironment: path.join(root, 'node_modules', `jest-environment-${environment}`),
      testMatch: ['**/*.test.cjs'],
      transform: {},
    };
    write(folder, { 'jest.config.json': JSON.stringify(config) });
    runs(bin('jest'), ['--config', 'jest.config.json'], folder, environment === 'jsdom' ? 'page' : 'node');
  });

  test(`an app's test passes under Vitest in its ${environment} environment`, (t) => {
    const imports = `import { createTestRelay } from 'sealwire/testing';
      import { createRealtime } from 'sealwire/resolver';`;
    const folder = project(t, { files: { 'app.test.mjs': imports + MEET + TEST } });
    const args = ['run', '--root', folder, '--globals', `--environment=${environment}`];
    runs(bin('vitest'), args, folder, environment === 'jsdom' ? 'page' : 'node');
  });
}

test('a component test in a browser bundles and runs', async (t) => {
  const main = `
    import { createTestRelay } from 'sealwire/testing';
    async function main() {
      const relay = createTestRelay();
      const resolver = relay.resolver();
      const handler = resolver.wrap(async ({ call }) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const { errors } = await resolver.publish('notes', call.payload);
        return errors ?? 'done';
      });
      const page = relay.realtime({ context: { moduleKey: 'm' } });
      const received = [];
      await page.subscribe('notes', (note) => received.push(note));
      const answer = await relay.invoke(handler, 'add', { text: 'x' }, page);
      await relay.settled();
      return { received, answer };
    }
    main().then((outcome) => (globalThis.outcome = outcome), (error) => (globalThis.outcome = String(error)));
  `;
  const folder = project(t, { files: { 'main.mjs': main } });
  await esbuild.build({
    entryPoints: [path.join(folder, 'main.mjs')],
    outfile: path.join(folder, 'dist/main.js'),
    bundle: true,
    platform: 'browser',
    // The bundle must not import modules of Node.
    logOverride: { 'unsupported-dynamic-import': 'error' },
    logLevel: 'silent',
  });
  write(folder, { 'dist/index.html': '<!doctype html><title>test</title><script src="/main.js"></script>' });
  const { outcome } = await runPage(path.join(folder, 'dist'), `default-src 'self'`);
  assert.deepEqual(outcome, { received: [{ text: 'x' }], answer: 'done' });
});
