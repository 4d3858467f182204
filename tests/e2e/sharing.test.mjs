// The gadgets of a dashboard share one WebSocket, and each has its own session, channels and keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { openDashboard } from './support/dashboard.mjs';
import { problems, received, startSystem } from './support/system.mjs';

const DASHBOARD = '10001';
const OVERRIDES = ['dashboard'];

async function dashboardOf(count, options) {
  const system = await startSystem();
  const context = await system.browser.newContext();
  const addresses = Array.from({ length: count }, (_, n) =>
    system.site.gadgetAddress('anna', DASHBOARD, String(n)),
  );
  const dashboard = await openDashboard(context, addresses, options);
  const stop = async () => {
    await dashboard.close();
    await system.stop();
  };
  return { system, dashboard, context, addresses, stop };
}

/** Subscribes each gadget to its own channel and to the dashboard's. */
async function subscribeAll(gadgets) {
  for (const gadget of gadgets) {
    await gadget.evaluate(async (contextOverrides) => {
      await globalThis.subscribe('own');
      await globalThis.subscribe('all', { contextOverrides });
    }, OVERRIDES);
  }
}

/** Publishes to all gadgets, and to each in turn, until it is stopped. */
function traffic(system, gadgetCount) {
  const sent = { all: [], own: Array.from({ length: gadgetCount }, () => []) };
  let running = true;
  const done = (async () => {
    for (let n = 0; running; n += 1) {
      const gadget = n % gadgetCount;
      const context = contextOf('anna', DASHBOARD, String(gadget));
      const [all, own] = await Promise.all([
        system.backend.publish('all', { n }, { context, contextOverrides: OVERRIDES }),
        system.backend.publish('own', { gadget, n }, { context }),
      ]);
      assert.equal(all.errors ?? own.errors, undefined);
      sent.all.push(n);
      sent.own[gadget].push(n);
      await sleep(10);
    }
  })();
  return {
    sent,
    async stop() {
      running = false;
      await done;
    },
  };
}

async function hasEverything(gadget, index, sent) {
  const expected = sent.all.length + sent.own[index].length;
  await gadget.waitForFunction((count) => globalThis.received.length >= count, expected, { timeout: 20_000 });
  const messages = await received(gadget);
  const forAll = messages.filter((message) => message.gadget === undefined);
  const own = messages.filter((message) => message.gadget !== undefined);
  assert.deepEqual(
    forAll.map(({ n }) => n),
    sent.all,
  );
  assert.deepEqual(
    own,
    sent.own[index].map((n) => ({ gadget: index, n })),
  );
  assert.deepEqual(await problems(gadget), []);
}

test('six gadgets share one WebSocket, and removing the leader loses and repeats no message', async () => {
  const { system, dashboard, stop } = await dashboardOf(6);
  try {
    const { gadgets, remove } = dashboard;
    await subscribeAll(gadgets);
    assert.equal(system.proxy.connections(), 1);
    const flow = traffic(system, 6);
    await sleep(500);
    // The gadgets become leader in the order in which they were opened.
    for (let leader = 0; leader < 4; leader += 1) {
      await remove(gadgets[leader]);
      await sleep(800);
    }
    await flow.stop();
    for (const index of [4, 5]) await hasEverything(gadgets[index], index, flow.sent);
    assert.equal(system.proxy.open(), 1);
    assert.equal(system.proxy.connections(), 5);
  } finally {
    await stop();
  }
});

test('a cut connection of six gadgets is replaced by one connection for all of them', async () => {
  const { system, dashboard, stop } = await dashboardOf(6);
  try {
    const { gadgets } = dashboard;
    await subscribeAll(gadgets);
    const flow = traffic(system, 6);
    await sleep(300);
    system.proxy.cut();
    await sleep(300);
    system.proxy.restore();
    await sleep(3_000);
    await flow.stop();
    for (const [index, gadget] of gadgets.entries()) await hasEverything(gadget, index, flow.sent);
    assert.equal(system.proxy.open(), 1);
  } finally {
    await stop();
  }
});

test('a removed gadget leaves the socket to the others, and the last gadget closes it', async () => {
  const { system, dashboard, stop } = await dashboardOf(3);
  try {
    const { gadgets, remove } = dashboard;
    await subscribeAll(gadgets);
    await remove(gadgets[1]);
    await gadgets[2].evaluate(() => globalThis.realtime.close());
    const context = contextOf('anna', DASHBOARD, '0');
    await system.backend.publish('own', { still: 'here' }, { context });
    await gadgets[0].waitForFunction(() => globalThis.received.length === 1);
    assert.equal(system.proxy.connections(), 1);
    assert.equal(system.proxy.open(), 1);
    await gadgets[0].evaluate(() => globalThis.realtime.close());
    for (let waited = 0; system.proxy.open() > 0; waited += 50) {
      assert.ok(waited < 5_000, 'the socket is still open');
      await sleep(50);
    }
    // A closed gadget can open the socket again.
    await gadgets[2].evaluate(() => globalThis.subscribe('own'));
    assert.equal(system.proxy.open(), 1);
  } finally {
    await stop();
  }
});

const lacking = {
  'Web Locks': { prepare: () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }) },
  BroadcastChannel: { prepare: () => delete globalThis.BroadcastChannel },
  // Chromium blocks the storage of frames of another site together with third-party cookies.
  'storage for frames of another site': { host: 'localhost' },
};

for (const [what, options] of Object.entries(lacking)) {
  test(`in a browser without ${what} the gadgets still share a socket`, async () => {
    const { system, dashboard, stop } = await dashboardOf(3, options);
    try {
      await subscribeAll(dashboard.gadgets);
      assert.equal(system.proxy.connections(), 1);
    } finally {
      await stop();
    }
  });
}

test('a gadget connects by itself if its browser lacks or refuses every optional facility', async () => {
  const { system, dashboard, stop } = await dashboardOf(2, {
    prepare: () => {
      const refuse = () => {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      };
      const accessor = { get: refuse, configurable: true };
      for (const name of ['sessionStorage', 'localStorage', 'indexedDB']) {
        Object.defineProperty(globalThis, name, accessor);
      }
      Object.defineProperty(Navigator.prototype, 'locks', accessor);
      globalThis.BroadcastChannel = refuse;
      Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });
      Object.defineProperty(Crypto.prototype, 'randomUUID', { value: undefined });
      for (const name of ['structuredClone', 'reportError', 'WebAssembly']) delete globalThis[name];
    },
  });
  try {
    const { gadgets } = dashboard;
    await subscribeAll(gadgets);
    const options = { context: contextOf('anna', DASHBOARD, '0'), contextOverrides: OVERRIDES };
    const text = 'x'.repeat(20_000);
    await system.backend.publish('all', { text }, options);
    for (const gadget of gadgets) {
      await gadget.waitForFunction(() => globalThis.received.length === 1);
      assert.deepEqual(await received(gadget), [{ text }]);
    }
    assert.equal(system.proxy.connections(), 2);
  } finally {
    await stop();
  }
});

test('gadgets that cannot reach each other have one socket each', async () => {
  const { system, dashboard, stop } = await dashboardOf(3, {
    prepare: () => Object.defineProperty(globalThis, '__sealwirePage1', { value: undefined }),
  });
  try {
    await subscribeAll(dashboard.gadgets);
    assert.equal(system.proxy.connections(), 3);
  } finally {
    await stop();
  }
});

test('a gadget connects by itself if the leader does not answer', async () => {
  const { system, dashboard, stop } = await dashboardOf(2);
  try {
    const [first, second] = dashboard.gadgets;
    await subscribeAll([first]);
    // After the gadget has released the lead, something else on the page takes it and serves no gadget.
    await first.evaluate(async () => {
      const { locks } = globalThis.__sealwirePage1;
      const [name] = [...locks.keys()].filter((lock) => lock.startsWith('sealwire.v1/'));
      globalThis.realtime.close();
      while (locks.has(name)) await new Promise((resolve) => setTimeout(resolve, 20));
      locks.set(name, [{ owner: document, granted: () => {} }]);
    });
    await subscribeAll([second]);
    const context = contextOf('anna', DASHBOARD, '1');
    await system.backend.publish('own', 'x', { context });
    await second.waitForFunction(() => globalThis.received.length === 1);
  } finally {
    await stop();
  }
});

test('two tabs with the same dashboard have one socket each', async () => {
  const { system, dashboard, context, addresses, stop } = await dashboardOf(2);
  const other = await openDashboard(context, addresses);
  try {
    await subscribeAll([...dashboard.gadgets, ...other.gadgets]);
    assert.equal(system.proxy.open(), 2);
  } finally {
    await other.close();
    await stop();
  }
});
