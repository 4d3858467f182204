// Sessions end when they expire and go on when they are refreshed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { problems, received, setStage } from './support/stage.mjs';

test('a session that is not refreshed is disconnected within a second of its exp', async () => {
  const stage = await setStage({ backend: { sessionLifetimeSeconds: 4 } });
  try {
    const page = await stage.open('ben');
    const before = Math.floor(Date.now() / 1000);
    await page.evaluate(() => globalThis.subscribe('absences'));
    const after = Math.floor(Date.now() / 1000);
    stage.site.state.refuse = true;
    while (stage.line.closedByRelay.length === 0) {
      assert.ok(Date.now() < (after + 8) * 1000, 'the relay did not disconnect');
      await sleep(20);
    }
    const [closed] = stage.line.closedByRelay;
    assert.ok(closed >= (before + 4) * 1000 - 50, 'the relay disconnected before the session expired');
    assert.ok(closed <= (after + 5) * 1000, `disconnected ${closed - (after + 4) * 1000} ms after exp`);
  } finally {
    await stage.strike();
  }
});

test('a session that is refreshed stays connected and loses nothing', async () => {
  const stage = await setStage({ backend: { sessionLifetimeSeconds: 4 } });
  try {
    const page = await stage.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    const context = contextOf('anna', '10001');
    const end = Date.now() + 13_000;
    let count = 0;
    while (Date.now() < end) {
      const { errors } = await stage.backend.publish('absences', { n: count }, { context });
      assert.equal(errors, undefined);
      count += 1;
      await sleep(100);
    }
    await page.waitForFunction((wanted) => globalThis.received.length >= wanted, count);
    assert.deepEqual(
      (await received(page)).map(({ n }) => n),
      Array.from({ length: count }, (_, n) => n),
    );
    assert.deepEqual(await problems(page), []);
    assert.equal(stage.line.connections(), 1);
    assert.ok((await page.evaluate(() => globalThis.sessions)) >= 4);
  } finally {
    await stage.strike();
  }
});
