// The gadgets of a dashboard share one WebSocket, and each keeps its own session, channels and keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { openDashboard } from './support/dashboard.mjs';
import { problems, received, setStage } from './support/stage.mjs';

const DASHBOARD = '10001';
const OVERRIDES = ['dashboard'];

async function dashboardOf(count, options) {
  const stage = await setStage();
  const context = await stage.browser.newContext();
  const addresses = Array.from({ length: count }, (_, n) =>
    stage.site.gadgetAddress('anna', DASHBOARD, String(n)),
  );
  const dashboard = await openDashboard(context, addresses, options);
  const strike = async () => {
    await dashboard.close();
    await stage.strike();
  };
  return { stage, dashboard, context, addresses, strike };
}

/** Each gadget listens to its own channel and to the dashboard's. */
async function subscribeAll(gadgets) {
  for (const gadget of gadgets) {
    await gadget.evaluate(async (contextOverrides) => {
      await globalThis.subscribe('own');
      await globalThis.subscribe('all', { contextOverrides });
    }, OVERRIDES);
  }
}

/** Publishes to everybody, and to one gadget after the other, until it is stopped. */
function traffic(stage, gadgetCount) {
  const sent = { all: [], own: Array.from({ length: gadgetCount }, () => []) };
  let running = true;
  const done = (async () => {
    for (let n = 0; running; n += 1) {
      const gadget = n % gadgetCount;
      const context = contextOf('anna', DASHBOARD, String(gadget));
      const [all, own] = await Promise.all([
        stage.backend.publish('all', { n }, { context, contextOverrides: OVERRIDES }),
        stage.backend.publish('own', { gadget, n }, { context }),
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

test('six gadgets on a page hold one WebSocket, and closing the leader loses and doubles nothing', async () => {
  const { stage, dashboard, strike } = await dashboardOf(6);
  try {
    const { gadgets, remove } = dashboard;
    await subscribeAll(gadgets);
    assert.equal(stage.line.connections(), 1);
    const flow = traffic(stage, 6);
    await sleep(500);
    // Whoever leads now was the first; then the second, and so on.
    for (let leader = 0; leader < 4; leader += 1) {
      await remove(gadgets[leader]);
      await sleep(800);
    }
    await flow.stop();
    for (const index of [4, 5]) await hasEverything(gadgets[index], index, flow.sent);
    assert.equal(stage.line.open(), 1);
    assert.equal(stage.line.connections(), 5);
  } finally {
    await strike();
  }
});

test('a line that is cut under six gadgets comes back as one, for all of them', async () => {
  const { stage, dashboard, strike } = await dashboardOf(6);
  try {
    const { gadgets } = dashboard;
    await subscribeAll(gadgets);
    const flow = traffic(stage, 6);
    await sleep(300);
    stage.line.cut();
    await sleep(300);
    stage.line.mend();
    await sleep(3_000);
    await flow.stop();
    for (const [index, gadget] of gadgets.entries()) await hasEverything(gadget, index, flow.sent);
    assert.equal(stage.line.open(), 1);
  } finally {
    await strike();
  }
});

test('a gadget that goes leaves the socket to the others, and the last one takes it along', async () => {
  const { stage, dashboard, strike } = await dashboardOf(3);
  try {
    const { gadgets, remove } = dashboard;
    await subscribeAll(gadgets);
    await remove(gadgets[1]);
    await gadgets[2].evaluate(() => globalThis.realtime.close());
    const context = contextOf('anna', DASHBOARD, '0');
    await stage.backend.publish('own', { still: 'here' }, { context });
    await gadgets[0].waitForFunction(() => globalThis.received.length === 1);
    assert.equal(stage.line.connections(), 1);
    assert.equal(stage.line.open(), 1);
    await gadgets[0].evaluate(() => globalThis.realtime.close());
    for (let waited = 0; stage.line.open() > 0; waited += 50) {
      assert.ok(waited < 5_000, 'the socket is still open');
      await sleep(50);
    }
    // And back.
    await gadgets[2].evaluate(() => globalThis.subscribe('own'));
    assert.equal(stage.line.open(), 1);
  } finally {
    await strike();
  }
});

const lacking = {
  'Web Locks': { prepare: () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }) },
  BroadcastChannel: { prepare: () => delete globalThis.BroadcastChannel },
  // What Chromium does to frames of another site where it blocks third-party cookies.
  'storage for frames of another site': { host: 'localhost' },
};

for (const [what, options] of Object.entries(lacking)) {
  test(`in a browser without ${what} the gadgets share a socket all the same`, async () => {
    const { stage, dashboard, strike } = await dashboardOf(3, options);
    try {
      await subscribeAll(dashboard.gadgets);
      assert.equal(stage.line.connections(), 1);
    } finally {
      await strike();
    }
  });
}

test('a gadget whose browser lacks or refuses all that it may connects by itself', async () => {
  const { stage, dashboard, strike } = await dashboardOf(2, {
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
    await stage.backend.publish('all', { text }, options);
    for (const gadget of gadgets) {
      await gadget.waitForFunction(() => globalThis.received.length === 1);
      assert.deepEqual(await received(gadget), [{ text }]);
    }
    assert.equal(stage.line.connections(), 2);
  } finally {
    await strike();
  }
});

test('gadgets that cannot reach each other have a socket each', async () => {
  const { stage, dashboard, strike } = await dashboardOf(3, {
    prepare: () => Object.defineProperty(globalThis, '__sealwirePage1', { value: undefined }),
  });
  try {
    await subscribeAll(dashboard.gadgets);
    assert.equal(stage.line.connections(), 3);
  } finally {
    await strike();
  }
});

test('a leader that does not answer is done without', async () => {
  const { stage, dashboard, strike } = await dashboardOf(2);
  try {
    const [first, second] = dashboard.gadgets;
    await subscribeAll([first]);
    // Something else of the page takes the lead after the gadget has left it, and serves nobody.
    await first.evaluate(async () => {
      const { locks } = globalThis.__sealwirePage1;
      const [name] = [...locks.keys()].filter((lock) => lock.startsWith('sealwire.v1/'));
      globalThis.realtime.close();
      while (locks.has(name)) await new Promise((resolve) => setTimeout(resolve, 20));
      locks.set(name, [{ owner: document, granted: () => {} }]);
    });
    await subscribeAll([second]);
    const context = contextOf('anna', DASHBOARD, '1');
    await stage.backend.publish('own', 'x', { context });
    await second.waitForFunction(() => globalThis.received.length === 1);
  } finally {
    await strike();
  }
});

test('two tabs with the same dashboard have a socket each', async () => {
  const { stage, dashboard, context, addresses, strike } = await dashboardOf(2);
  const other = await openDashboard(context, addresses);
  try {
    await subscribeAll([...dashboard.gadgets, ...other.gadgets]);
    assert.equal(stage.line.open(), 2);
  } finally {
    await other.close();
    await strike();
  }
});
