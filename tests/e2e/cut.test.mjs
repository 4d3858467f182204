// A subscriber whose line is cut gets what it missed, or is told that it cannot.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, setStage } from './support/stage.mjs';

const context = contextOf('anna', '10001');

async function publish(stage, from, to) {
  for (let n = from; n < to; n += 1) {
    const { errors } = await stage.backend.publish('absences', { n }, { context });
    assert.equal(errors, undefined);
  }
}

const numbers = async (page) => (await received(page)).map(({ n }) => n);
const upTo = (count) => Array.from({ length: count }, (_, n) => n);

test('cut off for three seconds: every message, once, in order', async () => {
  const stage = await setStage();
  try {
    const page = await stage.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    await publish(stage, 0, 5);
    await receivedCount(page, 5);
    stage.line.cut();
    await publish(stage, 5, 60);
    await sleep(3000);
    stage.line.mend();
    await receivedCount(page, 60);
    await publish(stage, 60, 65);
    await receivedCount(page, 65);
    assert.deepEqual(await numbers(page), upTo(65));
    assert.deepEqual(await problems(page), []);
    assert.ok(stage.line.connections() >= 2);
  } finally {
    await stage.strike();
  }
});

test('cut off past the replay window: told of the gap, then goes on', async () => {
  const stage = await setStage({ relay: 'replay_window = "1s"' });
  try {
    const page = await stage.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    await publish(stage, 0, 3);
    await receivedCount(page, 3);
    stage.line.cut();
    await publish(stage, 3, 6);
    await sleep(3000);
    stage.line.mend();
    await page.waitForFunction(() => globalThis.problems.length > 0, null, { timeout: 20_000 });
    await publish(stage, 6, 8);
    await receivedCount(page, 5);
    assert.deepEqual(await numbers(page), [0, 1, 2, 6, 7]);
    assert.deepEqual(
      (await problems(page)).map(({ code }) => code),
      ['GAP'],
    );
  } finally {
    await stage.strike();
  }
});

test('a relay that was killed and started again: told of the gap', async () => {
  const stage = await setStage();
  try {
    const page = await stage.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    await publish(stage, 0, 3);
    await receivedCount(page, 3);
    await stage.relay.kill();
    await stage.relay.restart();
    await page.waitForFunction(() => globalThis.problems.length > 0, null, { timeout: 20_000 });
    await publish(stage, 3, 5);
    await receivedCount(page, 5);
    assert.deepEqual(await numbers(page), upTo(5));
    assert.deepEqual(
      (await problems(page)).map(({ code }) => code),
      ['GAP'],
    );
  } finally {
    await stage.strike();
  }
});
