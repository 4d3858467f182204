// Relay, line, backend, site and browser together, and what ends them.
import { createBackend } from './backend.mjs';
import { launch } from './browser.mjs';
import { startLine } from './line.mjs';
import { startPlainProxy } from './plain-proxy.mjs';
import { startRelay } from './relay.mjs';
import { startSite } from './site.mjs';

/** @param {{ relay?: string, backend?: object, webAssembly?: boolean, plainProxy?: boolean, listed?: string[] }} [options] */
export async function setStage({
  relay: settings,
  backend: backendOptions,
  webAssembly,
  plainProxy = false,
  listed,
} = {}) {
  const relay = await startRelay(settings);
  // Pages reach the relay over one of them.
  const line = await (plainProxy ? startPlainProxy : startLine)(relay.port);
  const backend = createBackend(relay, line.port, backendOptions);
  const site = await startSite(backend, { webAssembly, socketPort: line.port, listed });
  const browser = await launch();
  return {
    relay,
    line,
    site,
    browser,
    backend: backend.direct,
    secrets: backend.secrets,
    /** Opens the page of a user on a dashboard. */
    async open(user, dashboard = '10001', options = {}) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(site.address(user, dashboard));
      await page.waitForFunction(() => globalThis.start);
      await page.evaluate((given) => globalThis.start(given), options);
      return page;
    },
    /** Opens a page that has not loaded the package yet. */
    async openBlank(user, dashboard = '10001') {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(site.blankAddress(user, dashboard));
      return page;
    },
    /** Opens one of the other pages, which is ready when it has `ready`. */
    async openPage(name, ready, user = 'anna', dashboard = '10001') {
      const page = await (await browser.newContext()).newPage();
      const failed = page.waitForEvent('pageerror', { timeout: 0 }).then((error) => Promise.reject(error));
      failed.catch(() => {});
      await page.goto(site.address(user, dashboard, name));
      await Promise.race([page.waitForFunction((wanted) => globalThis[wanted], ready), failed]);
      return page;
    },
    async strike() {
      await browser.close();
      await site.stop();
      await line.stop();
      await relay.stop();
    },
  };
}

export const received = (page) => page.evaluate(() => globalThis.received.map(({ payload }) => payload));
export const problems = (page) => page.evaluate(() => globalThis.problems);

/** Waits until the page has received so many messages. */
export const receivedCount = (page, count) =>
  page.waitForFunction((wanted) => globalThis.received.length >= wanted, count, { timeout: 20_000 });
