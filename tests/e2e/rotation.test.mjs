// A new encryption key reaches the pages that are connected, and loses nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, setStage } from './support/stage.mjs';

test('a page that meets a new key fetches a session once and opens every message', async () => {
  const stage = await setStage();
  try {
    const context = contextOf('anna', '10001');
    const pages = [await stage.open('anna'), await stage.open('ben')];
    for (const page of pages) await page.evaluate(() => globalThis.subscribe('absences'));
    await stage.backend.publish('absences', 'under the first key', { context });

    const { keys } = await stage.backend.rotateKey({ context });
    assert.equal(keys, 2);
    await stage.backend.publish('absences', 'under the second', { context });
    await stage.backend.publish('absences', 'and once more', { context });
    for (const page of pages) {
      await receivedCount(page, 3);
      assert.deepEqual(await received(page), ['under the first key', 'under the second', 'and once more']);
      assert.deepEqual(await problems(page), []);
      assert.equal(await page.evaluate(() => globalThis.sessions), 2);
    }

    // A page that has the new key reaches one that joined before and one that joins now.
    const late = await stage.open('cleo');
    await late.evaluate(() => globalThis.subscribe('absences', { replaySeconds: 1 }));
    await pages[0].evaluate(() => globalThis.realtime.publish('absences', 'from a page'));
    await pages[1].waitForFunction(() => globalThis.received.at(-1).payload === 'from a page');
    await late.waitForFunction(() => globalThis.received.at(-1)?.payload === 'from a page');
  } finally {
    await stage.strike();
  }
});
