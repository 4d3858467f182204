// Pages behind a proxy that lets no WebSocket through go over plain requests by themselves, and miss nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { openDashboard } from './support/dashboard.mjs';
import { problems, received, receivedCount, setStage } from './support/stage.mjs';

const context = contextOf('anna', '10001');
const upTo = (count) => Array.from({ length: count }, (_, n) => n);
const numbers = async (page) => (await received(page)).map(({ n }) => n);
const transport = (page) => page.evaluate(() => globalThis.realtime.transport);

async function publish(stage, from, to) {
  for (let n = from; n < to; n += 1) {
    const { errors } = await stage.backend.publish('absences', { n }, { context });
    assert.equal(errors, undefined);
  }
}

test('behind a proxy that strips Upgrade, pages subscribe, publish and receive without a setting', async () => {
  const stage = await setStage({ plainProxy: true });
  try {
    const [ben, cleo] = [await stage.open('ben', '10001', { debug: true }), await stage.open('cleo')];
    for (const page of [ben, cleo]) await page.evaluate(() => globalThis.subscribe('absences'));
    await publish(stage, 0, 3);
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
    const requests = stage.line.requests();
    assert.deepEqual([...new Set(requests)].sort(), ['GET /v1/realtime', 'POST /v1/send', 'POST /v1/stream']);
  } finally {
    await stage.strike();
  }
});

test('many publications at once arrive once and in order, though answers are lost on the way', async () => {
  const stage = await setStage({ plainProxy: true });
  try {
    const [ben, cleo] = [await stage.open('ben'), await stage.open('cleo')];
    await cleo.evaluate(() => globalThis.subscribe('absences'));
    await ben.evaluate(() => globalThis.realtime.publish('absences', { n: 0 }));
    stage.line.lose(3);
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
    // They went together, and on one stream.
    assert.ok(stage.line.count('POST /v1/send') < 40, stage.line.requests().join('\n'));
    assert.equal(stage.line.count('POST /v1/stream'), 2);
  } finally {
    await stage.strike();
  }
});

test('a stream that is cut is resumed without a loss, and without trying a WebSocket again', async () => {
  const stage = await setStage({ plainProxy: true });
  try {
    const page = await stage.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    const tried = stage.line.count('GET /v1/realtime');
    for (let cut = 0; cut < 3; cut += 1) {
      await publish(stage, cut * 20, cut * 20 + 10);
      await receivedCount(page, cut * 20 + 10);
      stage.line.cut();
      await publish(stage, cut * 20 + 10, cut * 20 + 20);
    }
    await receivedCount(page, 60);
    assert.deepEqual(await numbers(page), upTo(60));
    assert.deepEqual(await problems(page), []);
    assert.equal(stage.line.count('GET /v1/realtime'), tried);
    assert.equal(stage.line.count('POST /v1/stream'), 4);
  } finally {
    await stage.strike();
  }
});

test('sessions are refreshed over plain requests, and end with their token where they are not', async () => {
  const stage = await setStage({ plainProxy: true, backend: { sessionLifetimeSeconds: 4 } });
  try {
    const page = await stage.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    for (let n = 0; n < 9; n += 1) {
      await publish(stage, n, n + 1);
      await sleep(1000);
    }
    await receivedCount(page, 9);
    assert.deepEqual(await numbers(page), upTo(9));
    assert.equal(stage.line.count('POST /v1/stream'), 1);
    assert.ok((await page.evaluate(() => globalThis.sessions)) >= 3);
    stage.site.state.refuse = true;
    await page.waitForFunction(() => globalThis.states.at(-1) !== 'connected', null, { timeout: 10_000 });
    stage.site.state.refuse = false;
    await publish(stage, 9, 12);
    await receivedCount(page, 12);
    assert.deepEqual(await numbers(page), upTo(12));
  } finally {
    await stage.strike();
  }
});

test('a proxy that leaves the upgrade unanswered is noticed before a call gives up', async () => {
  const stage = await setStage({ plainProxy: true });
  try {
    stage.line.state.upgrades = 'hold';
    const page = await stage.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    assert.equal(await transport(page), 'http');
    await publish(stage, 0, 3);
    await receivedCount(page, 3);
  } finally {
    await stage.strike();
  }
});

test('HTTP is reached also by a page that gives each attempt little time', async () => {
  const stage = await setStage({ plainProxy: true });
  try {
    stage.line.state.upgrades = 'hold';
    const page = await stage.open('ben', '10001', { requestTimeoutMs: 4_000 });
    void page.evaluate(() => void globalThis.subscribe('absences').catch(() => {}));
    await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, { timeout: 20_000 });
    assert.equal(await transport(page), 'http');
  } finally {
    await stage.strike();
  }
});

test('the gadgets of a dashboard share one stream, each with its session, and go on without their leader', async () => {
  const stage = await setStage({ plainProxy: true });
  const browser = await stage.browser.newContext();
  const addresses = upTo(3).map((n) => stage.site.gadgetAddress('anna', '10001', String(n)));
  const dashboard = await openDashboard(browser, addresses);
  try {
    const { gadgets } = dashboard;
    for (const gadget of gadgets) {
      await gadget.evaluate(() => globalThis.subscribe('all', { contextOverrides: ['dashboard'] }));
    }
    const options = { context, contextOverrides: ['dashboard'] };
    await stage.backend.publish('all', { n: 0 }, options);
    for (const gadget of gadgets) {
      await receivedCount(gadget, 1);
      assert.equal(await transport(gadget), 'http');
    }
    assert.equal(stage.line.count('POST /v1/stream'), 1);
    await dashboard.remove(gadgets[0]);
    for (let n = 1; n < 30; n += 1) await stage.backend.publish('all', { n }, options);
    for (const gadget of gadgets.slice(1)) {
      await receivedCount(gadget, 30);
      assert.deepEqual(await numbers(gadget), upTo(30));
      assert.deepEqual(await problems(gadget), []);
    }
    assert.equal(stage.line.count('POST /v1/stream'), 2);
  } finally {
    await dashboard.close();
    await stage.strike();
  }
});

test('a page whose WebSocket works opens no stream, also when it was cut off or the relay was away', async () => {
  const stage = await setStage();
  try {
    const page = await stage.open('ben');
    const requests = [];
    page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await page.evaluate(() => globalThis.subscribe('absences'));
    assert.equal(await transport(page), 'websocket');
    stage.line.cut();
    await sleep(1500);
    stage.line.mend();
    await page.waitForFunction(() => globalThis.states.at(-1) === 'connected', null, { timeout: 10_000 });
    await stage.relay.kill();
    await stage.relay.restart();
    await page.waitForFunction(() => globalThis.problems.length > 0, null, { timeout: 20_000 });
    assert.equal(await transport(page), 'websocket');
    assert.ok(!requests.some((request) => request.includes('/v1/')), requests.join('\n'));
  } finally {
    await stage.strike();
  }
});
