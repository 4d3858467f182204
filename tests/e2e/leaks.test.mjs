// A closed client leaks neither sockets nor objects that the app passed in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { createRealtime } from 'sealwire';
import { WebSocket } from 'undici';
import { contextOf, createBackend } from './support/backend.mjs';
import { openDashboard } from './support/dashboard.mjs';
import { startRelay } from './support/relay.mjs';
import { startSystem } from './support/system.mjs';

const ROUNDS = 200;
/** The number of objects that the last rounds may still hold, for example in a timer. */
const MAX_ALIVE = 3;

v8.setFlagsFromString('--expose-gc');
const collectInNode = vm.runInNewContext('gc');

/** Opens and closes clients in Node, and returns weak references to the objects that their apps passed in. */
async function roundsInNode(backend, core, rounds) {
  const passed = [];
  for (let round = 0; round < rounds; round += 1) {
    // The app's functions keep this object alive as long as the client keeps the functions.
    const reached = { bytes: new Uint8Array(1024) };
    passed.push(new WeakRef(reached));
    const page = createRealtime({
      core,
      session: (request) => reached && backend.session(contextOf('anna', '10001'), request),
      onState: () => reached,
    });
    await page.subscribe('absences', () => reached);
    await page.publish('absences', { round });
    page.close();
  }
  return passed;
}

for (const [way, core] of [
  ['WebSocket', 'wasm'],
  ['WebSocket', 'js'],
  ['HTTP', 'js'],
]) {
  test(`two hundred clients over ${way} leak nothing after they are closed in Node (${core})`, async () => {
    const relay = await startRelay('publish_rate = 100000\n');
    const before = globalThis.WebSocket;
    if (way === 'WebSocket') globalThis.WebSocket = WebSocket;
    else delete globalThis.WebSocket;
    try {
      const backend = createBackend(relay, relay.port);
      const settled = async () => {
        for (let turn = 0; turn < 5; turn += 1) {
          await sleep(100);
          collectInNode();
        }
        return process.memoryUsage().heapUsed;
      };
      await roundsInNode(backend, core, 20);
      const first = await settled();
      const passed = await roundsInNode(backend, core, ROUNDS);
      const grown = (await settled()) - first;
      const alive = passed.filter((reference) => reference.deref()).length;
      assert.ok(alive <= MAX_ALIVE, `${alive} of ${ROUNDS} apps are still reachable`);
      // At first the engine's compiled code grows as well. A leaked client would take 57 kB.
      assert.ok(grown < ROUNDS * 15_000, `the heap grew by ${Math.round(grown / ROUNDS)} bytes per client`);
    } finally {
      if (before) globalThis.WebSocket = before;
      else delete globalThis.WebSocket;
      await relay.stop();
    }
  });
}

/** Opens and closes clients in a page. Their apps hold objects of the class `Reached`. */
const roundsInPage = (rounds) =>
  (async () => {
    globalThis.Reached ??= class Reached {};
    globalThis.references = [];
    for (let round = 0; round < rounds; round += 1) {
      const reached = new globalThis.Reached();
      globalThis.references.push(new WeakRef(reached));
      globalThis.start({ onState: () => reached, onDebug: () => reached });
      await globalThis.realtime.subscribe('absences', () => reached);
      globalThis.realtime.close();
    }
    globalThis.realtime = undefined;
    // After a second no frame leads or waits to lead.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  })();

/** Returns the number of objects of each class in a page, after a garbage collection. */
async function count(page, ...classes) {
  const session = await page.context().newCDPSession(page);
  for (let turn = 0; turn < 3; turn += 1) await session.send('HeapProfiler.collectGarbage');
  const counts = {};
  for (const name of classes) {
    const { result } = await session.send('Runtime.evaluate', { expression: `${name}.prototype` });
    const { objects } = await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId });
    const { result: length } = await session.send('Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: 'function () { return this.length; }',
      returnByValue: true,
    });
    counts[name] = length.value;
    await session.send('Runtime.releaseObject', { objectId: objects.objectId });
  }
  await session.detach();
  return counts;
}

/** Returns the number of locks (held and requested) and of channels by which the frames of a page share a socket. */
const sharing = (frame) =>
  frame.evaluate(async () => {
    const page = globalThis.__sealwirePage1;
    if (page) {
      const count = (map, size) => [...map.values()].reduce((sum, entries) => sum + entries[size], 0);
      return { locks: count(page.locks, 'length'), channels: count(page.channels, 'size') };
    }
    const { held, pending } = await navigator.locks.query();
    const channels = (globalThis.opened ?? []).filter((channel) => channel.deref()).length;
    return { locks: held.length + pending.length, channels };
  });

for (const [way, httpProxy, classes] of [
  ['WebSocket', false, ['WebSocket', 'BroadcastChannel', 'globalThis.Reached']],
  ['HTTP', true, ['WebSocket', 'AbortController', 'BroadcastChannel', 'globalThis.Reached']],
]) {
  test(`two hundred clients over ${way} leak nothing after they are closed in Chromium`, async () => {
    const system = await startSystem({ httpProxy });
    try {
      const page = await system.open('ben');
      await page.evaluate(roundsInPage, ROUNDS);
      for (const [name, left] of Object.entries(await count(page, ...classes))) {
        assert.ok(left <= MAX_ALIVE, `${left} objects of the class ${name} are still alive`);
      }
      assert.equal((await sharing(page)).locks, 0);
    } finally {
      await system.stop();
    }
  });
}

test('leading and following frames leak no channel, lock or socket after they are closed', async () => {
  const system = await startSystem();
  const context = await system.browser.newContext();
  const addresses = [0, 1].map((gadget) => system.site.gadgetAddress('anna', '10001', String(gadget)));
  const dashboard = await openDashboard(context, addresses, {
    prepare: () => {
      globalThis.opened = [];
      const { BroadcastChannel } = globalThis;
      globalThis.BroadcastChannel = class extends BroadcastChannel {
        constructor(name) {
          super(name);
          globalThis.opened.push(new WeakRef(this));
        }
      };
    },
  });
  try {
    const [leader, follower] = dashboard.gadgets;
    await leader.evaluate(() => globalThis.subscribe('absences'));
    await follower.evaluate(roundsInPage, 50);
    // There is one socket in total, so the second frame followed.
    assert.equal(system.proxy.connections(), 1);
    const session = await context.newCDPSession(leader.page());
    for (let turn = 0; turn < 3; turn += 1) await session.send('HeapProfiler.collectGarbage');
    const reached = await follower.evaluate(
      () => globalThis.references.filter((reference) => reference.deref()).length,
    );
    assert.ok(reached <= MAX_ALIVE, `${reached} apps are still reachable`);
    for (const frame of dashboard.gadgets) {
      const { channels } = await sharing(frame);
      assert.ok(channels <= MAX_ALIVE, `${channels} channels are still alive`);
    }
    assert.equal((await sharing(leader)).locks, 1);
    await leader.evaluate(() => globalThis.realtime.close());
    await sleep(1_500);
    assert.equal((await sharing(leader)).locks, 0);
    assert.equal(system.proxy.open(), 0);
  } finally {
    await dashboard.close();
    await system.stop();
  }
});

test('a closed client is released while another client of the page stays open', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    await page.evaluate(() => (globalThis.kept = globalThis.realtime));
    await page.evaluate(roundsInPage, 50);
    const { 'globalThis.Reached': left } = await count(page, 'globalThis.Reached');
    assert.ok(left <= MAX_ALIVE, `${left} apps are still reachable`);
    assert.equal(await page.evaluate(() => globalThis.kept.state), 'connected');
  } finally {
    await system.stop();
  }
});
