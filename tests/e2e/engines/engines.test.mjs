// The package in Chromium, Firefox and WebKit, in gadgets of another site than their dashboard, as in Jira: with the
// storage of such frames allowed and blocked.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ENGINES, openBrowser, STORAGE } from './browsers.mjs';
import { startDashboard } from './dashboard.mjs';
import { SCENARIOS, withScene } from './scenarios.mjs';

for (const engine of Object.keys(ENGINES)) {
  for (const storage of STORAGE) {
    describe(`${engine}, third-party storage ${storage}`, () => {
      let dashboard;
      let close;
      before(async () => {
        dashboard = await startDashboard();
        close = await openBrowser(engine, storage, dashboard.address);
        await dashboard.opened;
      });
      after(async () => {
        await close?.();
        await dashboard?.stop();
      });
      test('the browser allows or blocks the storage of gadgets as configured', async () => {
        const facilities = await withScene(dashboard, {}, ({ gadgets: [gadget] }) =>
          gadget.call('facilities'),
        );
        const refused = Object.keys(facilities).filter((name) => !facilities[name]);
        const { refuses } = ENGINES[engine];
        assert.deepEqual(
          refuses.filter((name) => refused.includes(name)),
          storage === 'blocked' ? refuses : [],
          `refused: ${refused.join(', ')}`,
        );
      });
      for (const [name, scenario] of Object.entries(SCENARIOS)) {
        test(name, async () => {
          await scenario(dashboard);
          assert.deepEqual(dashboard.problems.splice(0), []);
        });
      }
    });
  }
}
