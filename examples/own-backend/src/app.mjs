// The routes of the server.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Refusal, bodyOf, credentialOf, send } from './http.mjs';
import { contextOf } from './realtime.mjs';
import { isMember } from './rooms.mjs';

const PAGE = fileURLToPath(new URL('../page', import.meta.url));
const MAX_NOTE = 500;

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */
/** @typedef {ReturnType<typeof import('./realtime.mjs').realtimeOf>} Realtime */

/**
 * @param {import('./accounts.mjs').Accounts} accounts
 * @param {Realtime} realtime
 */
export function appServer(accounts, realtime) {
  const app = new App(accounts, realtime);
  return createServer(async (request, response) => {
    try {
      await app.answer(request, response);
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      const { status, message } = error instanceof Refusal ? error : new Refusal(500, 'The server failed.');
      send(response, status, { error: message });
    }
  });
}

class App {
  #accounts;
  #realtime;

  /**
   * @param {import('./accounts.mjs').Accounts} accounts
   * @param {Realtime} realtime
   */
  constructor(accounts, realtime) {
    this.#accounts = accounts;
    this.#realtime = realtime;
  }

  /**
   * @param {Request} request
   * @param {Response} response
   */
  async answer(request, response) {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    switch (`${request.method} ${pathname}`) {
      case 'POST /login': {
        const id = await this.#logIn(request);
        // SameSite keeps pages of other sites from sending requests with the cookie.
        response.setHeader('set-cookie', `session=${id}; HttpOnly; SameSite=Strict; Path=/`);
        return send(response, 200, {});
      }
      case 'POST /token':
        return send(response, 200, { token: await this.#logIn(request) });
      case 'POST /session':
        return send(response, 200, await this.#session(request, searchParams));
      case 'POST /notes':
        await this.#addNote(request, searchParams);
        return send(response, 200, {});
      default:
        if (request.method !== 'GET') throw new Refusal(404, 'There is no such route.');
        return sendFile(response, pathname);
    }
  }

  /**
   * Returns the id of a new session of the account in the request.
   * @param {Request} request
   */
  async #logIn(request) {
    const { account, password } = await bodyOf(request);
    const id = this.#accounts.logIn(account, password);
    if (id === undefined) throw new Refusal(401, 'The account or the password is wrong.');
    return id;
  }

  /**
   * Returns the realtime session of a room.
   * @param {Request} request
   * @param {URLSearchParams} query
   */
  async #session(request, query) {
    const context = contextOf(this.#accountOf(request), query.get('room') ?? '');
    // The body is the page's request as the package made it, with the public key of a page that signs.
    const payload = await bodyOf(request);
    try {
      return await this.#realtime.session({ payload, context });
    } catch (error) {
      // The message carries the code, from which the page knows whether it makes sense to ask again.
      const { code, message } = /** @type {import('sealwire/resolver').SealwireError} */ (error);
      throw new Refusal(code === 'PERMISSION_MISSING' ? 403 : 503, message);
    }
  }

  /**
   * Publishes a note in a room.
   * @param {Request} request
   * @param {URLSearchParams} query
   */
  async #addNote(request, query) {
    const [account, room] = [this.#accountOf(request), query.get('room') ?? ''];
    if (!isMember(account, room)) throw new Refusal(403, 'You are not a member of this room.');
    const { text } = await bodyOf(request);
    if (typeof text !== 'string' || text === '' || text.length > MAX_NOTE) {
      throw new Refusal(400, `text must have 1 to ${MAX_NOTE} characters.`);
    }
    const context = contextOf(account, room);
    const { errors } = await this.#realtime.publish('notes', { text, by: account }, { context });
    if (errors?.length) throw new Refusal(503, errors.map(({ message }) => message).join(' '));
  }

  /**
   * Returns the account of a request.
   * @param {Request} request
   */
  #accountOf(request) {
    const account = this.#accounts.accountOf(credentialOf(request));
    if (account === undefined) throw new Refusal(401, 'Log in first.');
    return account;
  }
}

const FILES = new Map([
  ['/', 'index.html'],
  ['/favicon.ico', ''],
]);
const TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript'],
]);

/**
 * Sends a file of the page.
 * @param {Response} response
 * @param {string} pathname
 */
async function sendFile(response, pathname) {
  const name = FILES.get(pathname) ?? (/^\/dist\/[\w.-]+\.js$/.test(pathname) ? pathname.slice(1) : '');
  const content = name === '' ? undefined : await readFile(path.join(PAGE, name)).catch(() => undefined);
  if (content === undefined) throw new Refusal(404, 'There is no such file; run npm run build.');
  response.writeHead(200, {
    'content-type': TYPES.get(path.extname(name)),
    'content-security-policy': "default-src 'self'; connect-src 'self' ws: wss:; style-src 'unsafe-inline'",
  });
  response.end(content);
}
