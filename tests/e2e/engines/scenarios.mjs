// The scenarios that run in every engine.
import assert from 'node:assert/strict';
import { contextOf, createBackend } from '../support/backend.mjs';
import { startTcpProxy } from '../support/tcp-proxy.mjs';
import { startHttpProxy } from '../support/http-proxy.mjs';
import { startRelay } from '../support/relay.mjs';
import { startSite } from '../support/site.mjs';

const DASHBOARD = '10001';
const ALL = { contextOverrides: ['dashboard'] };
const context = contextOf('anna', DASHBOARD, '0');
const upTo = (count) => Array.from({ length: count }, (_, n) => n);
const numbers = ({ received }) => received.map(({ n }) => n);

/** Starts a relay, a proxy to it, and gadgets on the dashboard that all subscribe to one channel. */
async function startScene(
  dashboard,
  { count = 1, overHttp = false, webAssembly = false, options = {} } = {},
) {
  const relay = await startRelay();
  const proxy = await (overHttp ? startHttpProxy : startTcpProxy)(relay.port);
  const backend = createBackend(relay, proxy.port);
  const site = await startSite(backend, { webAssembly, socketPort: proxy.port });
  const gadgets = [];
  const stop = async () => {
    for (const gadget of gadgets) gadget.remove();
    await site.stop();
    await proxy.stop();
    await relay.stop();
  };
  try {
    for (const n of upTo(count)) {
      const gadget = await dashboard.open(site.driven('anna', DASHBOARD, String(n)));
      gadgets.push(gadget);
      await gadget.call('start', options);
      await gadget.call('subscribe', 'all', ALL);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  let published = 0;
  return {
    proxy,
    gadgets,
    stop,
    /** Publishes the next `count` numbers from the app's backend. */
    async publish(count) {
      for (const _ of upTo(count)) {
        const { errors } = await backend.direct.publish('all', { n: published }, { context, ...ALL });
        assert.equal(errors, undefined);
        published += 1;
      }
    },
    /** Asserts that a gadget receives every message published so far, once and in order. */
    async complete(gadget) {
      const state = await gadget.until(({ received }) => received.length >= published);
      assert.deepEqual(numbers(state), upTo(published));
      assert.deepEqual(state.problems, []);
      return state;
    },
  };
}

/** Runs a function in a scene, and stops the scene afterwards. */
export async function withScene(dashboard, options, run) {
  const scene = await startScene(dashboard, options);
  try {
    return await run(scene);
  } finally {
    await scene.stop();
  }
}

/** One gadget publishes and both receive. One message is so large that the browser's AES-GCM opens it. */
const publishesAndReceives = (core) => async (dashboard) =>
  withScene(dashboard, { count: 2, webAssembly: core === 'wasm' }, async ({ gadgets: [ada, ben] }) => {
    const text = 'é'.repeat(20_000);
    for (const n of upTo(20)) {
      const { errors } = await ada.call('publish', 'all', n === 10 ? { n, text } : { n }, ALL);
      assert.equal(errors, undefined);
    }
    for (const gadget of [ada, ben]) {
      const state = await gadget.until(({ received }) => received.length >= 20);
      assert.deepEqual(numbers(state), upTo(20));
      assert.equal(state.received[10].text, text);
      assert.deepEqual(state.problems, []);
      assert.equal(state.core, core);
      assert.equal(state.transport, 'websocket');
    }
  });

export const SCENARIOS = {
  'WebAssembly: gadgets publish and receive': publishesAndReceives('wasm'),
  'plain JavaScript: gadgets publish and receive': publishesAndReceives('js'),

  'a cut connection is resumed without a lost or repeated message': (dashboard) =>
    withScene(dashboard, {}, async ({ proxy, gadgets: [gadget], publish, complete }) => {
      await publish(5);
      await complete(gadget);
      proxy.cut();
      await publish(20);
      await gadget.until(({ states }) => states.at(-1) === 'reconnecting');
      proxy.restore();
      await complete(gadget);
      await publish(5);
      await complete(gadget);
    }),

  'six gadgets share one socket, and continue after their leaders are removed': (dashboard) =>
    withScene(dashboard, { count: 6 }, async ({ proxy, gadgets, publish, complete }) => {
      assert.equal(proxy.connections(), 1);
      await publish(5);
      for (const removed of [0, 1]) {
        gadgets[removed].remove();
        await publish(20);
        for (const gadget of gadgets.slice(removed + 1)) await complete(gadget);
        await proxy.becomes(1);
      }
      assert.equal(proxy.connections(), 3);
      await gadgets[2].call('close');
      await publish(5);
      for (const gadget of gadgets.slice(3)) await complete(gadget);
    }),

  'a page restored from the back/forward cache continues without a lost message': (dashboard) =>
    withScene(dashboard, { count: 3 }, async ({ proxy, gadgets, publish, complete }) => {
      await publish(5);
      for (const gadget of gadgets) await complete(gadget);
      const isKept = await dashboard.leave();
      // A page that was not kept must not leave a socket behind.
      if (!isKept) return proxy.becomes(0);
      await publish(5);
      for (const gadget of gadgets) await complete(gadget);
      await proxy.becomes(1);
      assert.equal(proxy.connections(), 2);
    }),

  'six gadgets with sharing turned off have one socket each': (dashboard) =>
    withScene(dashboard, { count: 6, options: { share: false } }, async (scene) => {
      assert.equal(scene.proxy.connections(), 6);
      scene.gadgets[0].remove();
      await scene.publish(5);
      for (const gadget of scene.gadgets.slice(1)) await scene.complete(gadget);
    }),

  'without WebSockets the gadgets share one HTTP stream, which is resumed after a cut': (dashboard) =>
    withScene(dashboard, { count: 2, overHttp: true }, async ({ proxy, gadgets, publish, complete }) => {
      await publish(5);
      for (const gadget of gadgets) {
        const { transport } = await complete(gadget);
        assert.equal(transport, 'http');
      }
      assert.equal(proxy.count('POST /v1/stream'), 1);
      proxy.cut();
      await publish(20);
      for (const gadget of gadgets) await complete(gadget);
      const { errors } = await gadgets[0].call('publish', 'own', { x: 'y'.repeat(50_000) });
      assert.equal(errors, undefined);
    }),
};
