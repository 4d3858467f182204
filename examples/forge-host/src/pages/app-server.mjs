// Serves the built Custom UI to one user's iframe, from a separate origin, with Forge's policy and the bridge script that
// Forge adds to every Custom UI.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen, readBody, sendFile } from './http.mjs';
import { contentSecurityPolicy } from './policy.mjs';

/** The path of the page that counts messages. */
export const COUNTER = '/_counter/';
const BRIDGE = fileURLToPath(new URL('../../bridge', import.meta.url));

/**
 * @param {object} options
 * @param {string} options.folder the built Custom UI
 * @param {string} [options.counter] the built page that counts messages, which is served below COUNTER
 * @param {import('../app/manifest.mjs').Manifest} options.manifest
 * @param {string} options.hostOrigin
 * @param {(report: { directive: string, blocked: string }) => void} options.onViolation called for each report of a
 * violation of the policy
 */
export async function serveApp({ folder, counter, manifest, hostOrigin, onViolation }) {
  const main = await readPage(folder, manifest, hostOrigin);
  const counting = counter && (await readPage(counter, manifest, hostOrigin));

  const server = await listen(0, async (request, response, { pathname }) => {
    if (request.method === 'POST' && pathname === '/csp-report') {
      const { 'csp-report': report = {} } = JSON.parse(await readBody(request));
      onViolation({ directive: report['effective-directive'], blocked: report['blocked-uri'] });
      response.writeHead(204).end();
    } else if (pathname === '/_forge/bridge.js') {
      await sendFile(response, BRIDGE, 'bridge.js');
    } else if (pathname === '/') {
      sendPage(response, main);
    } else if (counting && pathname === COUNTER) {
      sendPage(response, counting);
    } else if (counter && pathname.startsWith(COUNTER)) {
      await sendFile(response, counter, pathname.slice(COUNTER.length));
    } else {
      await sendFile(response, folder, pathname);
    }
  });
  return { ...server, policy: main.policy };
}

/** @typedef {{ html: string, policy: string }} Page */

/**
 * Reads the entry page of a folder, adds the bridge, and computes the policy.
 * @param {string} folder
 * @param {import('../app/manifest.mjs').Manifest} manifest
 * @param {string} hostOrigin
 * @returns {Promise<Page>}
 */
async function readPage(folder, manifest, hostOrigin) {
  const html = withBridge(await readFile(path.join(folder, 'index.html'), 'utf8'), hostOrigin);
  return { html, policy: contentSecurityPolicy(html, manifest, hostOrigin) };
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {Page} page
 */
function sendPage(response, { html, policy }) {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cache-control': 'no-store',
  });
  response.end(html);
}

/**
 * @param {string} html
 * @param {string} hostOrigin
 */
function withBridge(html, hostOrigin) {
  return html.replace(
    '<head>',
    `<head>\n    <script src="/_forge/bridge.js" data-host="${hostOrigin}"></script>`,
  );
}
