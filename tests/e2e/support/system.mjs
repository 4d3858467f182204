// The system under test: relay, proxy, backend, site and browser.
import { createBackend } from './backend.mjs';
import { launch } from './browser.mjs';
import { startTcpProxy } from './tcp-proxy.mjs';
import { startHttpProxy } from './http-proxy.mjs';
import { startRelay } from './relay.mjs';
import { startSite } from './site.mjs';

/**
 * @param {{ relay?: string, backend?: object, webAssembly?: boolean, httpProxy?: boolean, listed?: string[], minified?: boolean,
 *   scripts?: Map<string, string>, isDirect?: boolean, record?: (connection: number, bytes: Buffer) => void }} [options] `record`
 *   receives everything that clients and functions send to the relay; `minified` minifies the pages, as apps do, and `scripts`
 *   replaces them; with `isDirect`, pages connect to the relay itself
 */
export async function startSystem({
  relay: settings,
  backend: backendOptions,
  webAssembly,
  httpProxy = false,
  listed,
  minified,
  scripts,
  isDirect = false,
  record,
} = {}) {
  const relay = await startRelay(settings);
  // Pages connect to the relay through the proxy, unless they are to be direct.
  const proxy = await (httpProxy ? startHttpProxy : startTcpProxy)(relay.port, record);
  const through = record && { url: `ws://127.0.0.1:${proxy.port}` };
  const socketPort = isDirect ? relay.port : proxy.port;
  const backend = createBackend(relay, socketPort, { ...through, ...backendOptions });
  const site = await startSite(backend, { webAssembly, socketPort, listed, minified, scripts });
  const browser = await launch();
  return {
    relay,
    proxy,
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
    /** Opens a page that does not load the package. */
    async openBlank(user, dashboard = '10001') {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(site.blankAddress(user, dashboard));
      return page;
    },
    /** Opens one of the other pages, and waits for its global variable `ready`. */
    async openPage(name, ready, user = 'anna', dashboard = '10001') {
      const page = await (await browser.newContext()).newPage();
      const failed = page.waitForEvent('pageerror', { timeout: 0 }).then((error) => Promise.reject(error));
      failed.catch(() => {});
      await page.goto(site.address(user, dashboard, name));
      await Promise.race([page.waitForFunction((wanted) => globalThis[wanted], ready), failed]);
      return page;
    },
    async stop() {
      await browser.close();
      await site.stop();
      await proxy.stop();
      await relay.stop();
    },
  };
}

export const received = (page) => page.evaluate(() => globalThis.received.map(({ payload }) => payload));
export const problems = (page) => page.evaluate(() => globalThis.problems);

/** Waits until the page has received `count` messages. */
export const receivedCount = (page, count) =>
  page.waitForFunction((wanted) => globalThis.received.length >= wanted, count, { timeout: 20_000 });
