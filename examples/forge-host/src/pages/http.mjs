// HTTP for both page servers.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

const TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
});

const MAX_BODY_BYTES = 1024 * 1024;

/** A response with a status other than 200. */
export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @typedef {(request: http.IncomingMessage, response: http.ServerResponse, url: URL) => Promise<void>} Handler */

/**
 * Serves on the loopback interface.
 * @param {number} port 0 picks a free one
 * @param {Handler} handler
 */
export async function listen(port, handler) {
  const server = http.createServer(async (request, response) => {
    try {
      await handler(request, response, new URL(request.url ?? '/', 'http://127.0.0.1'));
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500;
      if (status === 500) console.error(error);
      if (!response.headersSent) response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(error instanceof Error ? error.message : String(error));
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    origin: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * Sends a file of a folder. A name cannot refer to a file outside the folder.
 * @param {http.ServerResponse} response
 * @param {string} folder
 * @param {string} name the path of the URL
 * @param {Record<string, string>} [headers]
 */
export async function sendFile(response, folder, name, headers = {}) {
  const file = path.join(folder, path.posix.normalize('/' + decodeURIComponent(name)));
  const type = TYPES[path.extname(file)];
  const body = type && (await readFile(file).catch(() => undefined));
  if (!body) throw new HttpError(404, 'Not found.');
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', ...headers }).end(body);
}

/**
 * @param {http.ServerResponse} response
 * @param {unknown} value
 */
export function sendJson(response, value) {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value ?? null));
}

/** @param {http.IncomingMessage} request */
export async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new HttpError(413, 'The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
