// Serves the pages under test with a Content-Security-Policy, and answers their requests for sessions and tokens.
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { contextOf } from './backend.mjs';
import { reactPages } from './react-pages.mjs';

async function bundle({ minify = false } = {}) {
  const { outputFiles } = await build({
    entryPoints: ['page', 'gadget'].map((name) =>
      fileURLToPath(new URL(`../page/${name}.js`, import.meta.url)),
    ),
    bundle: true,
    format: 'esm',
    splitting: true,
    outdir: '/',
    write: false,
    external: ['@forge/bridge'],
    minify,
  });
  return new Map([...outputFiles.map((file) => [file.path, file.text]), ...(await reactPages())]);
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

let own;

/**
 * @param {ReturnType<import('./backend.mjs').createBackend>} backend
 * @param {{ webAssembly?: boolean, socketPort: number, listed?: string[], minified?: boolean,
 *   scripts?: Map<string, string> }} options `listed`: the schemes of the relay's addresses in the policy; `minified`: minifies the
 * pages, as apps do; `scripts`: replaces the pages, by their paths
 */
export async function startSite(
  backend,
  { webAssembly = false, socketPort, listed = ['ws', 'http'], minified, scripts },
) {
  const files = scripts ?? (await (minified ? bundle({ minify: true }) : (own ??= bundle())));
  const sources = webAssembly ? `'self' 'unsafe-eval'` : `'self'`;
  const relay = listed.map((scheme) => `${scheme}://127.0.0.1:${socketPort}`);
  const policy = `default-src 'self'; script-src ${sources}; connect-src 'self' ${relay.join(' ')}; img-src 'self' data:`;
  /**
   * `refuse`: whether requests for sessions and tokens fail, as they do if the app's backend is down. `aheadMs`: the time by
   * which the clock of the backend is ahead in sessions.
   */
  const state = { refuse: false, aheadMs: 0 };
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    if (pathname === '/token') {
      const { lifetimeSeconds } = JSON.parse(await bodyOf(request));
      if (state.refuse) return response.writeHead(500).end('no token today');
      const options = { context: contextOf('anna', '10001'), lifetimeSeconds };
      const { token } = await backend.direct.signRealtimeToken('chat', { team: 'blue' }, undefined, options);
      return response.writeHead(200, { 'content-type': 'text/plain' }).end(token);
    }
    if (pathname === '/session') {
      const { user, dashboard, gadget, ...payload } = JSON.parse(await bodyOf(request));
      if (state.refuse) return response.writeHead(500).end('no session today');
      const grant = await backend.session(contextOf(user, dashboard, gadget), payload);
      const issuedAtMs = grant.issuedAtMs + state.aheadMs;
      const answer = JSON.stringify({ ...grant, issuedAtMs });
      return response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    }
    if (files.has(pathname)) {
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(files.get(pathname));
    }
    const name = pathname === '/' ? '/page.js' : `${pathname}.js`;
    // A page without a script has an icon, so that the browser requests none beside what a test measures.
    const script = files.has(name)
      ? `<body><script type="module" src="${name}"></script>`
      : '<link rel="icon" href="data:,">';
    const page = `<!doctype html><meta charset="utf-8"><title>e2e</title>${script}`;
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy }).end(page);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    state,
    gadgetAddress: (user, dashboard, gadget) =>
      `${origin}/?user=${user}&dashboard=${dashboard}&gadget=${gadget}`,
    /** Returns the address of a gadget that its dashboard controls. */
    driven: (user, dashboard, gadget) =>
      `${origin}/gadget?user=${user}&dashboard=${dashboard}&gadget=${gadget}`,
    address: (user, dashboard, page = '') => `${origin}/${page}?user=${user}&dashboard=${dashboard}`,
    /** Returns the address of a page that does not load the package. */
    blankAddress: (user, dashboard) => `${origin}/blank?user=${user}&dashboard=${dashboard}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
