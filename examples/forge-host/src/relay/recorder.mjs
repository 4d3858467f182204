// A TCP proxy in front of the relay. Browsers and functions connect to it, so it records everything that the relay sees, and
// changes nothing.
import { once } from 'node:events';
import net from 'node:net';
import { Observer } from './observer.mjs';
import { Recording } from './recording.mjs';

const MAX_ROWS = 500;

/** @typedef {import('./observer.mjs').Observation & { id: number, at: number }} Row */

export class Recorder {
  recording = new Recording();
  /** @type {Row[]} the newest rows, at most MAX_ROWS */
  rows = [];
  /** @type {Set<(row: Row) => void>} */
  #listeners = new Set();
  /** @type {Set<net.Socket>} */
  #sockets = new Set();
  #server = net.createServer((client) => this.#accept(client));
  #relayPort;
  #connections = 0;
  #lastRow = 0;

  /** @param {number} relayPort on the loopback interface */
  constructor(relayPort) {
    this.#relayPort = relayPort;
  }

  /** @returns {Promise<number>} the port to connect to instead of the relay's */
  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return /** @type {net.AddressInfo} */ (this.#server.address()).port;
  }

  /**
   * @param {(row: Row) => void} listener
   * @returns {() => void} removes the listener
   */
  onRow(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** @param {net.Socket} client */
  #accept(client) {
    const relay = net.connect(this.#relayPort, '127.0.0.1');
    const observer = new Observer(++this.#connections, this.recording, (observation) =>
      this.#add(observation),
    );
    client.setNoDelay(true);
    relay.setNoDelay(true);
    client.on('data', (bytes) => observer.push('to-relay', /** @type {Buffer} */ (bytes)));
    relay.on('data', (bytes) => observer.push('to-client', /** @type {Buffer} */ (bytes)));
    client.pipe(relay);
    relay.pipe(client);
    for (const [socket, other] of [
      [client, relay],
      [relay, client],
    ]) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.end();
      });
    }
  }

  /** @param {import('./observer.mjs').Observation} observation */
  #add(observation) {
    const row = { id: ++this.#lastRow, at: Date.now(), ...observation };
    this.rows.push(row);
    if (this.rows.length > MAX_ROWS) this.rows.shift();
    for (const listener of this.#listeners) listener(row);
  }
}
