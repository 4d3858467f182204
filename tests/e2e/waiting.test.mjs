// Calls whose wait must end: connections that died in silence, apps that answer late, and calls from the app's own callbacks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRealtime } from 'sealwire';
import { WebSocket } from 'undici';
import { createBackend } from './support/backend.mjs';
import { issue } from './support/contract/index.mjs';
import { startTcpProxy } from './support/tcp-proxy.mjs';
import { startRelay } from './support/relay.mjs';

globalThis.WebSocket ??= WebSocket;

const context = issue('7');

/** Runs a function with a relay behind a proxy, and pages that connect through it. */
async function withRelay(run) {
  const relay = await startRelay();
  const proxy = await startTcpProxy(relay.port);
  const backend = createBackend(relay, proxy.port);
  const provide = (request) => backend.session(context, request);
  const pages = [];
  const page = (options = {}) => {
    pages.push(createRealtime({ session: provide, core: 'wasm', ...options }));
    return pages.at(-1);
  };
  try {
    await run({ page, proxy, provide, resolver: backend.direct });
  } finally {
    for (const page of pages) page.close();
    await proxy.stop();
    await relay.stop();
  }
}

test('calls on a connection that died in silence complete on the next one', () =>
  withRelay(async ({ page, proxy, resolver }) => {
    const ada = page();
    const received = [];
    const subscription = await ada.subscribe('n', (payload) => received.push(payload));
    await ada.publish('n', 'before');
    proxy.stall();
    const start = performance.now();
    const results = await Promise.all([
      ada.publish('n', 'one'),
      ada.publish('n', 'two'),
      ada.subscribe('m', () => {}),
    ]);
    const took = performance.now() - start;
    assert.deepEqual([results[0].errors, results[1].errors], [undefined, undefined]);
    assert.ok(took < 20_000, `after ${took} ms`);
    await resolver.publish('n', 'three', { context });
    for (const end = Date.now() + 5_000; received.length < 4 && Date.now() < end;) await sleep(10);
    assert.deepEqual(received, ['before', 'one', 'two', 'three']);
    proxy.stall();
    await subscription.unsubscribe();
    assert.ok(performance.now() - start < 40_000);
  }));

for (const core of ['wasm', 'js']) {
  test(`a session that arrives after its call timed out leaves no unhandled rejection (${core})`, () =>
    withRelay(async ({ page, provide }) => {
      const unhandled = [];
      const note = (error) => unhandled.push(error);
      process.on('unhandledRejection', note);
      try {
        let calls = 0;
        let release = () => {};
        const session = async (request) => {
          calls += 1;
          if (calls === 1) await new Promise((resolve) => (release = resolve));
          return provide(request);
        };
        const ada = page({ core, idleCloseMs: 50, session });
        const { errors } = await ada.publish('n', 'x', { timeoutMs: 200 });
        assert.match(errors[0], /^SESSION_UNAVAILABLE/);
        while (ada.state !== 'idle') await sleep(10);
        assert.equal((await ada.publish('n', 'y')).errors, undefined);
        assert.equal(calls, 2);
        release();
        await sleep(200);
        assert.deepEqual(unhandled, []);
      } finally {
        process.off('unhandledRejection', note);
      }
    }));
}

test('close() within a batch or while a token is fetched ends all deliveries and calls', () =>
  withRelay(async ({ page, resolver }) => {
    const sign = async () =>
      (await resolver.signRealtimeToken('team', { a: 1 }, undefined, { context })).token;
    const ada = page();
    const received = [];
    await ada.subscribe('n', (payload) => {
      received.push(payload);
      if (received.length === 2) ada.close();
    });
    const ben = page();
    await Promise.all(Array.from({ length: 50 }, (_, n) => ben.publish('n', { n })));
    await sleep(200);
    assert.equal(received.length, 2);

    let release = () => {};
    const gate = new Promise((resolve) => (release = resolve));
    const late = [];
    const token = async () => {
      await gate;
      return sign();
    };
    const cleo = page();
    const subscribing = cleo.subscribe('team', (payload) => late.push(payload), { token });
    const rejected = assert.rejects(subscribing, { code: 'CLOSED' });
    await sleep(50);
    cleo.close();
    await rejected;
    release();
    await sleep(200);
    await resolver.publish('team', 'x', { context, token: await sign() });
    await sleep(200);
    assert.deepEqual([late, cleo.state], [[], 'closed']);
  }));

test('a call from within a callback of the app requests no further session', () =>
  withRelay(async ({ page, provide }) => {
    for (const where of ['onDebug', 'session']) {
      let [sessions, over] = [0, false];
      const call = () => over || void ada.publish('n', 'from within');
      const session = (request) => {
        sessions += 1;
        if (where === 'session') call();
        return provide(request);
      };
      const ada = page({ session, ...(where === 'onDebug' && { onDebug: call }) });
      const { errors } = await ada.publish('n', 'x');
      over = true;
      assert.deepEqual([where, errors, sessions], [where, undefined, 1]);
    }
  }));
