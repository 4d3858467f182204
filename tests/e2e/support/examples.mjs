// The pages of Forge's published examples in a browser, with a relay and a stand-in for a Forge site, for all tests of a
// file.
import { after, before } from 'node:test';
import { launch } from './browser.mjs';
import { forgeApp } from './forge-app.mjs';
import { startForgeSite } from './forge-site.mjs';
import { startRelay } from './relay.mjs';

/**
 * @param {(context: { accountId: string }) => boolean} [authorize]
 * @param {() => string} [settings] returns further lines of the relay's configuration
 */
export function setExamples(authorize, settings = () => '') {
  let relay, invoke, site, browser;

  before(async () => {
    relay = await startRelay(settings());
    invoke = forgeApp(relay, authorize);
    site = await startForgeSite(invoke, relay.port);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await site?.stop();
    await relay?.stop();
  });

  return {
    /** The port of the relay's listener for operators. */
    adminPort: () => relay.adminPort,
    /** Calls a function of the app's resolver as the page of a view does. */
    invoke: (...call) => invoke(...call),
    /** Opens the page of a view. `watch` is called with the page before it loads. */
    async open(view, watch) {
      const page = await (await browser.newContext()).newPage();
      watch?.(page);
      await page.goto(site.address(view));
      await page.waitForFunction(() => globalThis.examples);
      return page;
    },
  };
}
