// Sessions end at their expiry unless they are refreshed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { problems, received, startSystem } from './support/system.mjs';

test('a session that is not refreshed is disconnected within a second of its exp', async () => {
  const system = await startSystem({ backend: { sessionLifetimeSeconds: 4 } });
  try {
    const page = await system.open('ben');
    const before = Math.floor(Date.now() / 1000);
    await page.evaluate(() => globalThis.subscribe('absences'));
    const after = Math.floor(Date.now() / 1000);
    system.site.state.refuse = true;
    while (system.proxy.closedByRelay.length === 0) {
      assert.ok(Date.now() < (after + 8) * 1000, 'the relay did not disconnect');
      await sleep(20);
    }
    const [closed] = system.proxy.closedByRelay;
    assert.ok(closed >= (before + 4) * 1000 - 50, 'the relay disconnected before the session expired');
    assert.ok(closed <= (after + 5) * 1000, `disconnected ${closed - (after + 4) * 1000} ms after exp`);
  } finally {
    await system.stop();
  }
});

test('a refreshed session stays connected and loses no message', async () => {
  const system = await startSystem({ backend: { sessionLifetimeSeconds: 4 } });
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    const context = contextOf('anna', '10001');
    const end = Date.now() + 13_000;
    let count = 0;
    while (Date.now() < end) {
      const { errors } = await system.backend.publish('absences', { n: count }, { context });
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
    assert.equal(system.proxy.connections(), 1);
    assert.ok((await page.evaluate(() => globalThis.sessions)) >= 4);
  } finally {
    await system.stop();
  }
});
