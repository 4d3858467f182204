// A dashboard: a page of another origin that shows gadgets in frames, as Jira does.
import http from 'node:http';

/**
 * @param {import('playwright-core').BrowserContext} context
 * @param {string[]} addresses the addresses of the gadgets
 * @param {{ prepare?: () => void, host?: string }} [options] `prepare` runs in each frame before its scripts
 */
export async function openDashboard(context, addresses, { prepare = () => {}, host = '127.0.0.1' } = {}) {
  const frames = addresses.map((address) => `<iframe src="${address}"></iframe>`).join('');
  const server = http.createServer((_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!doctype html><title>dashboard</title>${frames}`);
  });
  await new Promise((resolve) => server.listen(0, host, resolve));
  const page = await context.newPage();
  await page.addInitScript(prepare);
  await page.goto(`http://${host}:${server.address().port}/`);
  const gadgets = addresses.map((address) => page.frames().find((frame) => frame.url() === address));
  for (const gadget of gadgets) {
    await gadget.waitForFunction(() => globalThis.start);
    await gadget.evaluate(() => globalThis.start());
  }
  return {
    gadgets,
    /** Removes a gadget from the dashboard. */
    remove: (gadget) => gadget.frameElement().then((element) => element.evaluate((frame) => frame.remove())),
    async close() {
      await page.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
