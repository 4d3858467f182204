// Pages behind a proxy that blocks WebSockets fall back to HTTP by themselves, and miss no message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { openDashboard } from './support/dashboard.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');
const upTo = (count) => Array.from({ length: count }, (_, n) => n);
const numbers = async (page) => (await received(page)).map(({ n }) => n);
const transport = (page) => page.evaluate(() => globalThis.realtime.transport);

async function publish(system, from, to) {
  for (let n = from; n < to; n += 1) {
    const { errors } = await system.backend.publish('absences', { n }, { context });
    assert.equal(errors, undefined);
  }
}

test('behind a proxy that strips Upgrade, pages subscribe, publish and receive without configuration', async () => {
  const system = await startSystem({ httpProxy: true });
  try {
    const [ben, cleo] = [await system.open('ben', '10001', { debug: true }), await system.open('cleo')];
    for (const page of [ben, cleo]) await page.evaluate(() => globalThis.subscribe('absences'));
    await publish(system, 0, 3);
    const large = 'x'.repeat(100_000);
    const { errors } = await ben.evaluate(
      (text) => globalThis.realtime.publish('absences', { n: 3, text }),
      large,
    );
    assert.equal(errors, undefined);
    for (const page of [ben, cleo]) {
      await receivedCount(page, 4);
      assert.deepEqual(await numbers(page), upTo(4));
      assert.equal((await received(page))[3].text, large);
      assert.equal(await transport(page), 'http');
      assert.deepEqual(await problems(page), []);
    }
    const events = await ben.evaluate(() => globalThis.debugEvents);
    assert.ok(events.some(({ event, transport }) => event === 'open' && transport === 'http'));
    const requests = system.proxy.requests();
    assert.deepEqual([...new Set(requests)].sort(), ['GET /v1/realtime', 'POST /v1/send', 'POST /v1/stream']);
  } finally {
    await system.stop();
  }
});

test('many publishes at once arrive once and in order, although responses are lost', async () => {
  const system = await startSystem({ httpProxy: true });
  try {
    const [ben, cleo] = [await system.open('ben'), await system.open('cleo')];
    await cleo.evaluate(() => globalThis.subscribe('absences'));
    await ben.evaluate(() => globalThis.realtime.publish('absences', { n: 0 }));
    system.proxy.lose(3);
    const results = await ben.evaluate(() =>
      Promise.all(
        Array.from({ length: 99 }, (_, n) => globalThis.realtime.publish('absences', { n: n + 1 })),
      ),
    );
    assert.deepEqual(
      results.map(({ errors }) => errors),
      Array(99).fill(undefined),
    );
    await receivedCount(cleo, 100);
    assert.deepEqual(await numbers(cleo), upTo(100));
    assert.deepEqual(await problems(cleo), []);
    // The page sent the publishes in batches, and each page has one stream.
    assert.ok(system.proxy.count('POST /v1/send') < 40, system.proxy.requests().join('\n'));
    assert.equal(system.proxy.count('POST /v1/stream'), 2);
  } finally {
    await system.stop();
  }
});

test('a cut stream is resumed without a loss, and without another attempt at a WebSocket', async () => {
  const system = await startSystem({ httpProxy: true });
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    const tried = system.proxy.count('GET /v1/realtime');
    for (let cut = 0; cut < 3; cut += 1) {
      await publish(system, cut * 20, cut * 20 + 10);
      await receivedCount(page, cut * 20 + 10);
      system.proxy.cut();
      await publish(system, cut * 20 + 10, cut * 20 + 20);
    }
    await receivedCount(page, 60);
    assert.deepEqual(await numbers(page), upTo(60));
    assert.deepEqual(await problems(page), []);
    assert.equal(system.proxy.count('GET /v1/realtime'), tried);
    assert.equal(system.proxy.count('POST /v1/stream'), 4);
  } finally {
    await system.stop();
  }
});

test('over HTTP, sessions are refreshed, and end with their token if they are not', async () => {
  const system = await startSystem({ httpProxy: true, backend: { sessionLifetimeSeconds: 6 } });
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    for (let n = 0; n < 12; n += 1) {
      await publish(system, n, n + 1);
      await sleep(1000);
    }
    await receivedCount(page, 12);
    assert.deepEqual(await numbers(page), upTo(12));
    assert.equal(system.proxy.count('POST /v1/stream'), 1);
    assert.ok((await page.evaluate(() => globalThis.sessions)) >= 3);
    system.site.state.refuse = true;
    await page.waitForFunction(() => globalThis.states.at(-1) !== 'connected', null, { timeout: 15_000 });
    system.site.state.refuse = false;
    await publish(system, 12, 15);
    await receivedCount(page, 15);
    assert.deepEqual(await numbers(page), upTo(15));
  } finally {
    await system.stop();
  }
});

test('a proxy that never answers the upgrade is detected before a call times out', async () => {
  const system = await startSystem({ httpProxy: true });
  try {
    system.proxy.state.upgrades = 'hold';
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    assert.equal(await transport(page), 'http');
    await publish(system, 0, 3);
    await receivedCount(page, 3);
  } finally {
    await system.stop();
  }
});

test('a page with a short request timeout also falls back to HTTP', async () => {
  const system = await startSystem({ httpProxy: true });
  try {
    system.proxy.state.upgrades = 'hold';
    const page = await system.open('ben', '10001', { requestTimeoutMs: 4_000 });
    void page.evaluate(() => void globalThis.subscribe('absences').catch(() => {}));
    await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, { timeout: 20_000 });
    assert.equal(await transport(page), 'http');
  } finally {
    await system.stop();
  }
});

test('the gadgets of a dashboard share one stream with a session each, and continue without their leader', async () => {
  const system = await startSystem({ httpProxy: true });
  const browser = await system.browser.newContext();
  const addresses = upTo(3).map((n) => system.site.gadgetAddress('anna', '10001', String(n)));
  const dashboard = await openDashboard(browser, addresses);
  try {
    const { gadgets } = dashboard;
    for (const gadget of gadgets) {
      await gadget.evaluate(() => globalThis.subscribe('all', { contextOverrides: ['dashboard'] }));
    }
    const options = { context, contextOverrides: ['dashboard'] };
    await system.backend.publish('all', { n: 0 }, options);
    for (const gadget of gadgets) {
      await receivedCount(gadget, 1);
      assert.equal(await transport(gadget), 'http');
    }
    assert.equal(system.proxy.count('POST /v1/stream'), 1);
    await dashboard.remove(gadgets[0]);
    for (let n = 1; n < 30; n += 1) await system.backend.publish('all', { n }, options);
    for (const gadget of gadgets.slice(1)) {
      await receivedCount(gadget, 30);
      assert.deepEqual(await numbers(gadget), upTo(30));
      assert.deepEqual(await problems(gadget), []);
    }
    assert.equal(system.proxy.count('POST /v1/stream'), 2);
  } finally {
    await dashboard.close();
    await system.stop();
  }
});

test('a page whose WebSocket works opens no stream, even after a cut or a restart of the relay', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('ben');
    const requests = [];
    page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await page.evaluate(() => globalThis.subscribe('absences'));
    assert.equal(await transport(page), 'websocket');
    system.proxy.cut();
    await sleep(1500);
    system.proxy.restore();
    await page.waitForFunction(() => globalThis.states.at(-1) === 'connected', null, { timeout: 10_000 });
    await system.relay.kill();
    await system.relay.restart();
    await page.waitForFunction(() => globalThis.problems.length > 0, null, { timeout: 20_000 });
    assert.equal(await transport(page), 'websocket');
    assert.ok(!requests.some((request) => request.includes('/v1/')), requests.join('\n'));
  } finally {
    await system.stop();
  }
});
