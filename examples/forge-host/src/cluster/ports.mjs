// Finds ports for servers that must know each other's ports before they start, and that keep their port when they restart.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';

// Below are well-known ports. Above, the system takes ports for outgoing connections, one of which could hold a server's port
// while the server is down.
const FIRST = 15_000;
const LAST = 31_999;
const ATTEMPTS = 1_000;

/**
 * Returns different ports of the loopback interface that are free now.
 * @param {number} count
 * @returns {Promise<number[]>}
 */
export async function freePorts(count) {
  /** @type {Map<number, net.Server>} */
  const held = new Map();
  for (let attempt = 0; attempt < ATTEMPTS && held.size < count; attempt++) {
    const port = randomInt(FIRST, LAST + 1);
    if (held.has(port)) continue;
    const server = net.createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (isFree) held.set(port, server);
  }
  const ports = [...held.keys()];
  await Promise.all([...held.values()].map((server) => once(server.close(), 'close')));
  if (ports.length < count) throw new Error(`127.0.0.1 has no ${count} free ports from ${FIRST} to ${LAST}.`);
  return ports;
}
