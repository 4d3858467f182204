// The load balancer in front of the relays. Each person has a preferred relay, and comes to another one while it is not ready.
// The origin of a request tells the person, as the address of a client does elsewhere; requests of the app's functions have
// none, and take turns.
import { once } from 'node:events';
import http from 'node:http';

/** The request over which a client without a WebSocket reads. */
const STREAM = '/v1/stream';
/** The headers of a refusal that concern its connection. The end of the connection ends its body. */
const REPLACED = ['connection', 'keep-alive', 'transfer-encoding'];

/**
 * @typedef {object} Target
 * @property {string} id
 * @property {number} port the port to connect to
 * @property {boolean} runs
 * @property {() => Promise<boolean>} isReady
 */

export class Balancer {
  #targets;
  #preferred;
  #turn = 0;
  /** The person and the relay of every open connection for messages. @type {Set<{ person: string, target: string }>} */
  #open = new Set();
  #server = http.createServer((request, response) => void this.#forward(request, response));

  /**
   * @param {Target[]} targets
   * @param {(origin: string | undefined) => { person: string, preferred: number } | undefined} preferred returns the person with
   * this origin, and the index of their relay
   */
  constructor(targets, preferred) {
    this.#targets = targets;
    this.#preferred = preferred;
    this.#server.on('upgrade', (request, socket, head) => {
      void this.#upgrade(request, /** @type {import('node:net').Socket} */ (socket), head);
    });
  }

  /** @returns {Promise<number>} the port */
  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  async close() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /**
   * Returns the relays to which a person is connected.
   * @param {string} person
   */
  targetsOf(person) {
    return [...new Set([...this.#open].filter((one) => one.person === person).map(({ target }) => target))];
  }

  /**
   * Chooses a relay: the first one that is ready, beginning with the preferred one. If none is ready, one that runs answers
   * with its own error.
   * @param {http.IncomingMessage} request
   * @returns {Promise<{ person?: string, target?: Target }>}
   */
  async #choose({ headers }) {
    const known = this.#preferred(headers.origin);
    const first = (known?.preferred ?? this.#turn++) % this.#targets.length;
    const order = [...this.#targets.slice(first), ...this.#targets.slice(0, first)];
    const running = order.filter(({ runs }) => runs);
    for (const target of running) {
      if (await target.isReady()) return { person: known?.person, target };
    }
    return { person: known?.person, target: running[0] };
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async #forward(request, response) {
    const { person, target } = await this.#choose(request);
    if (response.destroyed) return;
    if (!target) return void response.writeHead(503).end('No relay runs.');
    const forwarded = ask(target, request);
    const forget = this.#remember(request.url?.startsWith(STREAM) ? person : undefined, target);
    forwarded.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
      answer.on('close', () => {
        forget();
        if (!answer.complete) response.destroy();
      });
    });
    forwarded.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on('close', () => {
      forget();
      forwarded.destroy();
    });
    request.pipe(forwarded);
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {import('node:net').Socket} client
   * @param {Buffer} head
   */
  async #upgrade(request, client, head) {
    client.on('error', () => client.destroy());
    const { person, target } = await this.#choose(request);
    if (!target) return void client.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
    const forwarded = ask(target, request);
    forwarded.on('error', () => client.destroy());
    // The relay refuses the upgrade.
    forwarded.on('response', (answer) => {
      client.write(headOf(answer, REPLACED, ['Connection: close']));
      answer.pipe(client);
    });
    forwarded.on('upgrade', (answer, relay, first) => {
      if (client.destroyed) return void relay.destroy();
      const forget = this.#remember(person, target);
      client.write(headOf(answer));
      client.write(first);
      relay.write(head);
      client.setNoDelay(true);
      relay.setNoDelay(true);
      relay.pipe(client);
      client.pipe(relay);
      relay.on('error', () => relay.destroy());
      relay.on('close', () => {
        forget();
        client.destroy();
      });
      client.on('close', () => relay.destroy());
    });
    forwarded.end();
  }

  /**
   * @param {string | undefined} person
   * @param {Target} target
   * @returns {() => void} forgets the connection
   */
  #remember(person, target) {
    if (person === undefined) return () => {};
    const connection = { person, target: target.id };
    this.#open.add(connection);
    return () => void this.#open.delete(connection);
  }
}

/**
 * Sends the head of a request to a relay.
 * @param {Target} target
 * @param {http.IncomingMessage} request
 */
const ask = ({ port }, { method, url, rawHeaders }) =>
  http.request({ host: '127.0.0.1', port, method, path: url, headers: rawHeaders, agent: false });

/**
 * @param {http.IncomingMessage} answer
 * @param {string[]} without names of headers to leave out, in lower case
 * @param {string[]} more further lines
 */
function headOf({ statusCode, statusMessage, rawHeaders }, without = [], more = []) {
  const lines = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 && !without.includes(name.toLowerCase()) ? [`${name}: ${rawHeaders.at(at + 1)}`] : [],
  );
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${[...lines, ...more].join('\r\n')}\r\n\r\n`;
}
