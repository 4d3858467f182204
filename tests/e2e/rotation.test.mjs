// Connected pages fetch a new encryption key and lose no message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

test('a page that receives a message under a new key fetches a session once and opens every message', async () => {
  const system = await startSystem();
  try {
    const context = contextOf('anna', '10001');
    const pages = [await system.open('anna'), await system.open('ben')];
    for (const page of pages) await page.evaluate(() => globalThis.subscribe('absences'));
    await system.backend.publish('absences', 'under the first key', { context });

    const { keys } = await system.backend.rotateKey({ context });
    assert.equal(keys, 2);
    await system.backend.publish('absences', 'under the second', { context });
    await system.backend.publish('absences', 'and once more', { context });
    for (const page of pages) {
      await receivedCount(page, 3);
      assert.deepEqual(await received(page), ['under the first key', 'under the second', 'and once more']);
      assert.deepEqual(await problems(page), []);
      assert.equal(await page.evaluate(() => globalThis.sessions), 2);
    }

    // A page with the new key reaches a page that subscribed before the rotation, and one that subscribes now.
    const late = await system.open('cleo');
    await late.evaluate(() => globalThis.subscribe('absences', { replaySeconds: 1 }));
    await pages[0].evaluate(() => globalThis.realtime.publish('absences', 'from a page'));
    await pages[1].waitForFunction(() => globalThis.received.at(-1).payload === 'from a page');
    await late.waitForFunction(() => globalThis.received.at(-1)?.payload === 'from a page');
  } finally {
    await system.stop();
  }
});
