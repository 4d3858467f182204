// What every engine has to do: one piece of code for all of them.
import assert from 'node:assert/strict';
import { contextOf, createBackend } from '../support/backend.mjs';
import { startLine } from '../support/line.mjs';
import { startPlainProxy } from '../support/plain-proxy.mjs';
import { startRelay } from '../support/relay.mjs';
import { startSite } from '../support/site.mjs';

const DASHBOARD = '10001';
const ALL = { contextOverrides: ['dashboard'] };
const context = contextOf('anna', DASHBOARD, '0');
const upTo = (count) => Array.from({ length: count }, (_, n) => n);
const numbers = ({ received }) => received.map(({ n }) => n);

/** A relay, a line to it, and gadgets on the dashboard that subscribe to a channel of them all. */
async function setScene(dashboard, { count = 1, proxy = false, webAssembly = false, options = {} } = {}) {
  const relay = await startRelay();
  const line = await (proxy ? startPlainProxy : startLine)(relay.port);
  const backend = createBackend(relay, line.port);
  const site = await startSite(backend, { webAssembly, socketPort: line.port });
  const gadgets = [];
  const strike = async () => {
    for (const gadget of gadgets) gadget.remove();
    await site.stop();
    await line.stop();
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
    await strike();
    throw error;
  }
  let published = 0;
  return {
    line,
    gadgets,
    strike,
    /** Publishes the next numbers from the app's backend. */
    async publish(count) {
      for (const _ of upTo(count)) {
        const { errors } = await backend.direct.publish('all', { n: published }, { context, ...ALL });
        assert.equal(errors, undefined);
        published += 1;
      }
    },
    /** Every message so far has come to a gadget, once and in order. */
    async complete(gadget) {
      const state = await gadget.until(({ received }) => received.length >= published);
      assert.deepEqual(numbers(state), upTo(published));
      assert.deepEqual(state.problems, []);
      return state;
    },
  };
}

/** Sets a scene, and strikes it after what was to be done in it. */
export async function withScene(dashboard, options, run) {
  const scene = await setScene(dashboard, options);
  try {
    return await run(scene);
  } finally {
    await scene.strike();
  }
}

/** A page publishes and another one receives, also a message so large that the browser's own AES-GCM opens it. */
const meets = (core) => async (dashboard) =>
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
  'WebAssembly: gadgets publish and receive': meets('wasm'),
  'plain JavaScript: gadgets publish and receive': meets('js'),

  'a line that is cut comes back, and nothing is missed or doubled': (dashboard) =>
    withScene(dashboard, {}, async ({ line, gadgets: [gadget], publish, complete }) => {
      await publish(5);
      await complete(gadget);
      line.cut();
      await publish(20);
      await gadget.until(({ states }) => states.at(-1) === 'reconnecting');
      line.mend();
      await complete(gadget);
      await publish(5);
      await complete(gadget);
    }),

  'six gadgets hold one socket, and go on when those that led are removed': (dashboard) =>
    withScene(dashboard, { count: 6 }, async ({ line, gadgets, publish, complete }) => {
      assert.equal(line.connections(), 1);
      await publish(5);
      for (const removed of [0, 1]) {
        gadgets[removed].remove();
        await publish(20);
        for (const gadget of gadgets.slice(removed + 1)) await complete(gadget);
        await line.becomes(1);
      }
      assert.equal(line.connections(), 3);
      await gadgets[2].call('close');
      await publish(5);
      for (const gadget of gadgets.slice(3)) await complete(gadget);
    }),

  'a page that is left and comes back goes on where it was, if the browser kept it': (dashboard) =>
    withScene(dashboard, { count: 3 }, async ({ line, gadgets, publish, complete }) => {
      await publish(5);
      for (const gadget of gadgets) await complete(gadget);
      const isKept = await dashboard.leave();
      // Either way, nobody holds a socket for a page that is not shown.
      if (!isKept) return line.becomes(0);
      await publish(5);
      for (const gadget of gadgets) await complete(gadget);
      await line.becomes(1);
      assert.equal(line.connections(), 2);
    }),

  'six gadgets that do not share have sockets of their own': (dashboard) =>
    withScene(dashboard, { count: 6, options: { share: false } }, async (scene) => {
      assert.equal(scene.line.connections(), 6);
      scene.gadgets[0].remove();
      await scene.publish(5);
      for (const gadget of scene.gadgets.slice(1)) await scene.complete(gadget);
    }),

  'without WebSockets the gadgets share a stream over HTTP, which is resumed': (dashboard) =>
    withScene(dashboard, { count: 2, proxy: true }, async ({ line, gadgets, publish, complete }) => {
      await publish(5);
      for (const gadget of gadgets) {
        const { transport } = await complete(gadget);
        assert.equal(transport, 'http');
      }
      assert.equal(line.count('POST /v1/stream'), 1);
      line.cut();
      await publish(20);
      for (const gadget of gadgets) await complete(gadget);
      const { errors } = await gadgets[0].call('publish', 'own', { x: 'y'.repeat(50_000) });
      assert.equal(errors, undefined);
    }),
};
