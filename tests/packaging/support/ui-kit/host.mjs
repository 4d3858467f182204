// Shows a UI Kit page that Forge has bundled, in Chromium, as several users: in an iframe, or in a web worker.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript' };
const PRODUCT = `<!doctype html><title>product</title><body><script src="/product.js"></script>`;
const WORKER = `import '/bridge.js';\nimport '/app/__worker__/main.js';\n`;

async function fileOf(folder, pathname) {
  if (pathname === '/product') return { type: 'text/html', body: PRODUCT };
  if (pathname === '/worker.js') return { type: 'text/javascript', body: WORKER };
  const file = pathname.startsWith('/app/') ? path.join(folder, pathname.slice(5)) : here(`.${pathname}`);
  const text = await readFile(file, 'utf8');
  // The platform installs the bridge before the app's scripts run.
  const body =
    pathname === '/app/index.html'
      ? text.replace('<head>', '<head><script src="/bridge.js"></script>')
      : text;
  return { type: TYPES[path.extname(file)] ?? 'application/octet-stream', body };
}

async function serve(folder, answer, policy) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    try {
      if (pathname === '/bridge') {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const { user, command, given } = JSON.parse(Buffer.concat(chunks));
        const answered = await answer(user, command, given);
        return response.writeHead(200).end(answered === undefined ? '' : JSON.stringify(answered));
      }
      const { type, body } = await fileOf(folder, pathname);
      response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body);
    } catch (error) {
      response.writeHead(pathname === '/bridge' ? 500 : 404).end(error.message);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/**
 * Serves a bundle until the test ends. `answer` answers the calls of the bridge, and `policy` is the page's
 * Content-Security-Policy. Returns a function that opens the page as a user.
 */
export async function uiKitHost(t, { folder, answer, policy }) {
  const server = await serve(folder, answer, policy);
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  t.after(async () => {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return async (user, runtime) => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/product?user=${user}&runtime=${runtime}`);
    const shows = async (pattern) => {
      const found = page.waitForFunction(
        (source) => new RegExp(source).test(globalThis.shown),
        pattern.source,
        {
          timeout: 60_000,
        },
      );
      await found.catch(async () => {
        throw new Error(`${user} does not see ${pattern}: ${await page.evaluate(() => globalThis.shown)}`);
      });
    };
    return {
      shows,
      press: (label) => page.evaluate((text) => globalThis.press(text), label),
      goOffline: () => page.context().setOffline(true),
      goOnline: () => page.context().setOffline(false),
    };
  };
}
