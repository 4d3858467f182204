// Opens a built page in Chromium under a Content-Security-Policy, and reads its `window.outcome`.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { chromium } from 'playwright-core';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.map': 'application/json',
};

async function serve(folder, policy) {
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, 'http://page').pathname;
    const file = path.join(folder, name === '/' ? 'index.html' : name);
    try {
      const body = await readFile(file);
      const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Runs the page. Returns its outcome, and the names of the files that it `requested`. */
export async function runPage(folder, policy) {
  const server = await serve(folder, policy);
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const requested = [];
    page.on('request', (request) => requested.push(path.basename(new URL(request.url()).pathname)));
    const failures = [];
    page.on('pageerror', (error) => failures.push(String(error)));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const outcome = await page
      .waitForFunction(() => globalThis.outcome, undefined, { timeout: 15_000 })
      .then((handle) => handle.jsonValue())
      .catch(() => ({ error: `the page set no outcome: ${failures.join('; ')}` }));
    return { outcome, requested };
  } finally {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
  }
}
