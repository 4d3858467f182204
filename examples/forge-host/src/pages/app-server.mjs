// Serves the built gadgets of the app to one user's iframes, from a separate origin, each in a folder of its own, with Forge's
// policy and the bridge script that Forge adds to every Custom UI.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { HttpError, listen, readBody, sendFile } from './http.mjs';
import { contentSecurityPolicy } from './policy.mjs';

/** The folder of the page that counts messages, beside those of the gadgets. */
export const COUNTER = '_counter';
const BRIDGE = fileURLToPath(new URL('../../bridge', import.meta.url));
const PATH = /^\/([^/]+)\/(.*)$/;

/**
 * @param {object} options
 * @param {Map<string, string>} options.folders the folders of the built pages by the name under which they are served
 * @param {import('../app/manifest.mjs').Manifest} options.manifest
 * @param {string} options.hostOrigin
 * @param {(report: { directive: string, blocked: string }) => void} options.onViolation called for each report of a
 * violation of the policy
 */
export async function serveApp({ folders, manifest, hostOrigin, onViolation }) {
  /** @type {Map<string, Page>} */
  const pages = new Map();
  for (const [name, folder] of folders) pages.set(name, await readPage(folder, manifest, hostOrigin));

  const server = await listen(0, async (request, response, { pathname }) => {
    if (request.method === 'POST' && pathname === '/csp-report') {
      const { 'csp-report': report = {} } = JSON.parse(await readBody(request));
      onViolation({ directive: report['effective-directive'], blocked: report['blocked-uri'] });
      response.writeHead(204).end();
      return;
    }
    if (pathname === '/_forge/bridge.js') return sendFile(response, BRIDGE, 'bridge.js');
    const [, name = '', file = ''] = PATH.exec(pathname) ?? [];
    const page = pages.get(name);
    if (!page) throw new HttpError(404, 'Not found.');
    if (file === '') return sendPage(response, page);
    return sendFile(response, page.folder, file);
  });
  return { ...server, policies: [...pages.values()].map(({ policy }) => policy) };
}

/** @typedef {{ folder: string, html: string, policy: string }} Page */

/**
 * Reads the entry page of a folder, adds the bridge, and computes the policy.
 * @param {string} folder
 * @param {import('../app/manifest.mjs').Manifest} manifest
 * @param {string} hostOrigin
 * @returns {Promise<Page>}
 */
async function readPage(folder, manifest, hostOrigin) {
  const html = withBridge(await readFile(path.join(folder, 'index.html'), 'utf8'), hostOrigin);
  return { folder, html, policy: contentSecurityPolicy(html, manifest, hostOrigin) };
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
