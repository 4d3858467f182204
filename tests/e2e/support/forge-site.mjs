// Serves the page of the examples as Forge does: the bridge loads before the app's script, and the policy forbids compiling
// WebAssembly.
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const BRIDGE = `
  globalThis.violations = [];
  addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
    globalThis.violations.push(effectiveDirective + ' ' + blockedURI),
  );
  const view = Object.fromEntries(new URLSearchParams(location.search));
  globalThis.__bridge = {
    callBridge: async (command, given) => {
      if (command !== 'invoke') throw new Error('no ' + command + ' here');
      const { functionKey, payload } = given;
      const response = await fetch('/invoke', { method: 'POST', body: JSON.stringify({ view, functionKey, payload }) });
      const text = await response.text();
      if (!response.ok) throw new Error('There was an error invoking the function - ' + text);
      return text ? JSON.parse(text) : {};
    },
  };
`;

const PAGE = `<!doctype html><meta charset="utf-8"><title>examples</title>
  <script src="/bridge.js"></script><script type="module" src="/examples.js"></script>`;

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../page/examples.js', import.meta.url))],
    bundle: true,
    format: 'esm',
    splitting: true,
    outdir: '/',
    write: false,
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  });
  return new Map(outputFiles.map((file) => [file.path, file.text]));
}

/** @param {(view: object, functionKey: string, payload: unknown) => Promise<unknown>} invoke */
export async function startForgeSite(invoke, relayPort) {
  const files = await bundle();
  files.set('/bridge.js', BRIDGE);
  const policy = `default-src 'self'; connect-src 'self' ws://127.0.0.1:${relayPort}`;
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    if (pathname === '/invoke') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const { view, functionKey, payload } = JSON.parse(Buffer.concat(chunks));
      try {
        const answer = await invoke(view, functionKey, payload);
        return response.writeHead(200).end(answer === undefined ? '' : JSON.stringify(answer));
      } catch (error) {
        return response.writeHead(500).end(error.message);
      }
    }
    const text = files.get(pathname);
    if (text !== undefined) return response.writeHead(200, { 'content-type': 'text/javascript' }).end(text);
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy }).end(PAGE);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    address: (view) => `${origin}/?${new URLSearchParams(view)}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
