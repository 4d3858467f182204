// TCP proxies in front of the relays. Browsers and functions connect to them, so they record everything that the relays see,
// and change nothing.
import { once } from 'node:events';
import net from 'node:net';
import { Observer } from './observer.mjs';
import { Recording } from './recording.mjs';

const MAX_ROWS = 500;

/**
 * `relay` is the name of the relay. A row in the background belongs to a connection that only counts messages.
 * @typedef {import('./observer.mjs').Observation & { id: number, at: number, relay: string, background: boolean }} Row
 */

export class Recorder {
  recording = new Recording();
  /** @type {Row[]} the newest rows, at most MAX_ROWS, without those in the background */
  rows = [];
  /** @type {Set<(row: Row) => void>} */
  #listeners = new Set();
  /** @type {Set<net.Socket>} */
  #sockets = new Set();
  /** @type {net.Server[]} */
  #servers = [];
  #backgroundChannel;
  /** @type {Set<number>} the connections in the background */
  #background = new Set();
  #connections = 0;
  #lastRow = 0;

  /** @param {string} [backgroundChannel] the channel whose connections are in the background */
  constructor(backgroundChannel) {
    this.#backgroundChannel = backgroundChannel;
  }

  /**
   * Starts a proxy.
   * @param {() => number} relayPort returns the relay's port on the loopback interface
   * @param {string} [relay] the name of the relay
   * @returns {Promise<number>} the port to connect to instead of the relay's
   */
  async listen(relayPort, relay = 'Relay') {
    const server = net.createServer((client) => this.#accept(client, relayPort(), relay));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return /** @type {net.AddressInfo} */ (server.address()).port;
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
    await Promise.all(this.#servers.map((server) => once(server.close(), 'close')));
  }

  /**
   * @param {net.Socket} client
   * @param {number} port
   * @param {string} name the name of the relay
   */
  #accept(client, port, name) {
    const relay = net.connect(port, '127.0.0.1');
    const observer = new Observer(++this.#connections, this.recording, (observation) =>
      this.#add(observation, name),
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

  /**
   * @param {import('./observer.mjs').Observation} observation
   * @param {string} relay
   */
  #add(observation, relay) {
    const { connection, channel } = observation;
    if (channel !== undefined && channel === this.#backgroundChannel) this.#background.add(connection);
    const background = this.#background.has(connection);
    const row = { id: ++this.#lastRow, at: Date.now(), relay, background, ...observation };
    if (!background) this.rows.push(row);
    if (this.rows.length > MAX_ROWS) this.rows.shift();
    for (const listener of this.#listeners) listener(row);
  }
}
