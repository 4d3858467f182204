// Serves the built Custom UI to one user's iframe, from a separate origin, with Forge's policy and the bridge script that
// Forge adds to every Custom UI.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen, readBody, sendFile } from './http.mjs';
import { contentSecurityPolicy } from './policy.mjs';

const BRIDGE = fileURLToPath(new URL('../../bridge', import.meta.url));

/**
 * @param {object} options
 * @param {string} options.folder the built Custom UI
 * @param {import('../app/manifest.mjs').Manifest} options.manifest
 * @param {string} options.hostOrigin
 * @param {(report: { directive: string, blocked: string }) => void} options.onViolation called for each report of a
 * violation of the policy
 */
export async function serveApp({ folder, manifest, hostOrigin, onViolation }) {
  const html = await readFile(path.join(folder, 'index.html'), 'utf8');
  const page = withBridge(html, hostOrigin);
  const policy = contentSecurityPolicy(page, manifest, hostOrigin);

  const server = await listen(0, async (request, response, { pathname }) => {
    if (request.method === 'POST' && pathname === '/csp-report') {
      const { 'csp-report': report = {} } = JSON.parse(await readBody(request));
      onViolation({ directive: report['effective-directive'], blocked: report['blocked-uri'] });
      response.writeHead(204).end();
    } else if (pathname === '/') {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': policy,
        'cache-control': 'no-store',
      });
      response.end(page);
    } else if (pathname === '/_forge/bridge.js') {
      await sendFile(response, BRIDGE, 'bridge.js');
    } else {
      await sendFile(response, folder, pathname);
    }
  });
  return { ...server, policy };
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
