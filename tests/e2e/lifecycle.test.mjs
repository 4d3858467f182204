// Pages that go offline, freeze or lose their connection in silence, and their recovery.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');
const HEARTBEAT_MS = 1000;
const SHORT = `heartbeat = "${HEARTBEAT_MS / 1000}s"`;

async function publish(system, ...numbers) {
  for (const n of numbers) {
    const { errors } = await system.backend.publish('absences', { n }, { context });
    assert.equal(errors, undefined);
  }
}

const numbers = async (page) => (await received(page)).map(({ n }) => n);
const state = (page) => page.evaluate(() => globalThis.realtime.state);
const becomes = (page, wanted, timeout = 20_000) =>
  page.waitForFunction((expected) => globalThis.realtime.state === expected, wanted, { timeout });

async function subscribed(settings, options) {
  const system = await startSystem({ relay: settings });
  const page = await system.open('ben', '10001', options);
  await page.evaluate(() => globalThis.subscribe('absences'));
  await publish(system, 0);
  await receivedCount(page, 1);
  return { system, page };
}

test('a stalled connection is detected within two heartbeats, and nothing is lost', async () => {
  const { system, page } = await subscribed(SHORT);
  try {
    const started = Date.now();
    system.proxy.stall();
    await publish(system, 1, 2);
    await page.waitForFunction(() => globalThis.states.includes('reconnecting'), null, { timeout: 10_000 });
    const found = Date.now() - started;
    assert.ok(found <= 2 * HEARTBEAT_MS + 500, `${found} ms`);
    await receivedCount(page, 3);
    await publish(system, 3);
    await receivedCount(page, 4);
    assert.deepEqual(await numbers(page), [0, 1, 2, 3]);
    assert.deepEqual(await problems(page), []);
  } finally {
    await system.stop();
  }
});

test('a page that wakes up detects a stalled connection within seconds, long before a missed heartbeat', async () => {
  const { system, page } = await subscribed('heartbeat = "60s"');
  try {
    system.proxy.stall();
    await publish(system, 1);
    const started = Date.now();
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await receivedCount(page, 2);
    const found = Date.now() - started;
    assert.ok(found <= 6_000, `${found} ms`);
    assert.deepEqual(await numbers(page), [0, 1]);
    assert.deepEqual(await problems(page), []);
  } finally {
    await system.stop();
  }
});

test('an offline page is suspended, and receives every missed message when it is online again', async () => {
  const { system, page } = await subscribed(SHORT);
  try {
    await page.context().setOffline(true);
    system.proxy.cut();
    await becomes(page, 'suspended');
    await publish(system, 1, 2, 3);
    system.proxy.restore();
    await sleep(2_000);
    assert.equal(await state(page), 'suspended');
    await page.context().setOffline(false);
    const started = Date.now();
    await receivedCount(page, 4);
    assert.ok(Date.now() - started <= 3_000, `${Date.now() - started} ms`);
    assert.deepEqual(await numbers(page), [0, 1, 2, 3]);
    assert.deepEqual(await problems(page), []);
    assert.equal(await state(page), 'connected');
  } finally {
    await system.stop();
  }
});

// Chromium freezes hidden pages only, and headless pages are never hidden, so the test dispatches the events itself.
test('a frozen page closes its connection, and receives every missed message after it resumes', async () => {
  const { system, page } = await subscribed(SHORT);
  try {
    await page.evaluate(() => document.dispatchEvent(new Event('freeze')));
    await becomes(page, 'suspended');
    for (let waited = 0; system.proxy.closedByRelay.length === 0; waited += 50) {
      assert.ok(waited < 5_000, 'the connection is still open');
      await sleep(50);
    }
    await publish(system, 1, 2);
    assert.equal(await state(page), 'suspended');
    await page.evaluate(() => document.dispatchEvent(new Event('resume')));
    await receivedCount(page, 3);
    assert.deepEqual(await numbers(page), [0, 1, 2]);
    assert.deepEqual(await problems(page), []);
    assert.equal(system.proxy.connections(), 2);
  } finally {
    await system.stop();
  }
});

test('after a kill and restart of the relay under traffic, each subscriber has every message or a gap', async () => {
  const system = await startSystem({ relay: SHORT });
  try {
    const pages = [];
    for (const user of ['anna', 'ben', 'cleo', 'dan']) {
      const page = await system.open(user);
      await page.evaluate(() => globalThis.subscribe('absences'));
      pages.push(page);
    }
    const accepted = [];
    let publishing = true;
    const traffic = (async () => {
      for (let n = 0; publishing; n += 1) {
        const { errors } = await system.backend.publish('absences', { n }, { context });
        if (errors === undefined) accepted.push(n);
        await sleep(5);
      }
    })();
    for (let kills = 0; kills < 3; kills += 1) {
      await sleep(700);
      await system.relay.kill();
      await sleep(300);
      await system.relay.restart();
      for (const page of pages) await becomes(page, 'connected');
    }
    await sleep(700);
    publishing = false;
    await traffic;
    const last = accepted.at(-1);
    for (const page of pages) {
      await page.waitForFunction((n) => globalThis.received.at(-1)?.payload.n === n, last);
      const had = await numbers(page);
      const gaps = (await problems(page)).map(({ code }) => code);
      assert.deepEqual(
        had,
        [...new Set(had)].sort((a, b) => a - b),
        'messages are out of order or repeated',
      );
      const missed = accepted.filter((n) => !had.includes(n));
      assert.ok(gaps.every((code) => code === 'GAP'));
      // Each restart begins another epoch, and no relay can prove that nothing was lost between two epochs.
      assert.equal(gaps.length, 3, `missed ${missed.length}`);
    }
  } finally {
    await system.stop();
  }
});

test('an idle connection closes, and the next call opens another one', async () => {
  const { system, page } = await subscribed('', { idleCloseMs: 200 });
  try {
    await page.evaluate(() => globalThis.subscription.unsubscribe());
    await becomes(page, 'idle');
    assert.equal(system.proxy.connections(), 1);
    await page.evaluate(() => globalThis.subscribe('absences'));
    assert.equal(await state(page), 'connected');
    assert.equal(system.proxy.connections(), 2);
  } finally {
    await system.stop();
  }
});

test('a session that is refused for good is reported once, and not requested again', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('ben');
    await page.evaluate(() => {
      globalThis.asked = 0;
      globalThis.start({
        session: () => {
          globalThis.asked += 1;
          throw Object.assign(new Error('not for you [sealwire:PERMISSION_MISSING]'));
        },
      });
    });
    const code = await page.evaluate(() => globalThis.subscribe('absences').catch((error) => error.code));
    assert.equal(code, 'PERMISSION_MISSING');
    await sleep(2_500);
    assert.equal(await page.evaluate(() => globalThis.asked), 1);
    assert.equal(await state(page), 'idle');
    assert.equal(system.proxy.connections(), 0);
  } finally {
    await system.stop();
  }
});

test('debug events hold kinds and sizes, and no payload, name or token', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('anna', '10001', { debug: true });
    const token = await page.evaluate(async () => {
      const signed = await globalThis.signToken(60);
      await globalThis.subscribe('chat', { token: signed });
      await globalThis.realtime.publish(
        'chat',
        { said: 'payload-text' },
        { token: signed, eventName: 'event-name' },
      );
      return signed;
    });
    await receivedCount(page, 1);
    const events = await page.evaluate(() => globalThis.debugEvents);
    const kinds = events
      .filter(({ type }) => type === 'frame')
      .map(({ direction, frame }) => `${direction} ${frame}`);
    assert.deepEqual(kinds.sort(), [
      'received Publication',
      'received Published',
      'received Subscribed',
      'received Welcome',
      'sent Hello',
      'sent Publish',
      'sent Subscribe',
    ]);
    const text = JSON.stringify(events);
    const jwt = token.split('~')[0];
    for (const secret of [
      'payload-text',
      'event-name',
      'chat',
      jwt,
      jwt.split('.')[2],
      token.split('~')[1],
      '10001',
    ]) {
      assert.ok(!text.includes(secret), secret);
    }
  } finally {
    await system.stop();
  }
});
