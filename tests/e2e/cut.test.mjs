// A subscriber whose connection is cut receives the missed messages, or reports a gap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');

async function publish(system, from, to) {
  for (let n = from; n < to; n += 1) {
    const { errors } = await system.backend.publish('absences', { n }, { context });
    assert.equal(errors, undefined);
  }
}

const numbers = async (page) => (await received(page)).map(({ n }) => n);
const upTo = (count) => Array.from({ length: count }, (_, n) => n);

test('a cut of three seconds loses and repeats no message', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    await publish(system, 0, 5);
    await receivedCount(page, 5);
    system.proxy.cut();
    await publish(system, 5, 60);
    await sleep(3000);
    system.proxy.restore();
    await receivedCount(page, 60);
    await publish(system, 60, 65);
    await receivedCount(page, 65);
    assert.deepEqual(await numbers(page), upTo(65));
    assert.deepEqual(await problems(page), []);
    assert.ok(system.proxy.connections() >= 2);
  } finally {
    await system.stop();
  }
});

test('a cut beyond the replay window is reported as a gap, and the subscription continues', async () => {
  const system = await startSystem({ relay: 'replay_window = "1s"' });
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    await publish(system, 0, 3);
    await receivedCount(page, 3);
    system.proxy.cut();
    await publish(system, 3, 6);
    await sleep(3000);
    system.proxy.restore();
    await page.waitForFunction(() => globalThis.problems.length > 0, null, { timeout: 20_000 });
    await publish(system, 6, 8);
    await receivedCount(page, 5);
    assert.deepEqual(await numbers(page), [0, 1, 2, 6, 7]);
    assert.deepEqual(
      (await problems(page)).map(({ code }) => code),
      ['GAP'],
    );
  } finally {
    await system.stop();
  }
});

test('a relay that was killed and restarted is reported as a gap', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    await publish(system, 0, 3);
    await receivedCount(page, 3);
    await system.relay.kill();
    await system.relay.restart();
    await page.waitForFunction(() => globalThis.problems.length > 0, null, { timeout: 20_000 });
    await publish(system, 3, 5);
    await receivedCount(page, 5);
    assert.deepEqual(await numbers(page), upTo(5));
    assert.deepEqual(
      (await problems(page)).map(({ code }) => code),
      ['GAP'],
    );
  } finally {
    await system.stop();
  }
});
