// onResumed in Chromium, with both builds of the core: a page whose connection is cut learns whether everything was recovered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');

const waitForHeard = (page, count) =>
  page.waitForFunction((wanted) => globalThis.heard.length >= wanted, count, { timeout: 30_000 });

for (const [core, webAssembly] of [
  ['wasm', true],
  ['js', false],
]) {
  test(`a page with the core ${core} learns of each resume, and whether messages were missed`, async () => {
    const system = await startSystem({ webAssembly });
    const publish = async (n) => {
      const { errors } = await system.backend.publish('absences', { n }, { context });
      assert.equal(errors, undefined);
    };
    try {
      const page = await system.open('ben');
      await page.evaluate(async () => {
        const heard = (globalThis.heard = []);
        await globalThis.realtime.subscribe('absences', ({ n }) => heard.push(n), {
          onState: (state) => heard.push(state),
          onGap: (error) => heard.push(error.code),
          onResumed: (resumed) => heard.push(resumed),
        });
      });
      assert.equal(await page.evaluate(() => globalThis.realtime.core), core);
      await publish(0);
      await waitForHeard(page, 2);

      system.proxy.cut();
      await waitForHeard(page, 3);
      await publish(1);
      system.proxy.restore();
      await waitForHeard(page, 6);

      // The relay restarts, and knows nothing of what was before.
      await system.relay.kill();
      await system.relay.restart();
      await waitForHeard(page, 10);
      await publish(2);
      await waitForHeard(page, 11);
      assert.deepEqual(await page.evaluate(() => globalThis.heard), [
        ...['subscribed', 0],
        ...['resuming', 'subscribed', { recovered: true }, 1],
        ...['resuming', 'subscribed', 'GAP', { recovered: false }, 2],
      ]);
    } finally {
      await system.stop();
    }
  });
}
