// A TCP proxy between the browser and the relay whose connections can be cut or stalled.
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Forwards bytes in both directions. The end of one socket ends the other. */
function connect(client, relay, sockets) {
  for (const [from, to] of [
    [client, relay],
    [relay, client],
  ]) {
    sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}

/**
 * @param {number} target the relay's port
 * @param {(connection: number, bytes: Buffer) => void} [record] receives everything that clients send
 */
export async function startTcpProxy(target, record) {
  const sockets = new Set();
  let cut = false;
  let accepted = 0;
  /** Chromium opens a second connection if the first takes 250 ms, as on a busy machine, and sends nothing over the one left. */
  let connections = 0;
  let open = 0;
  /** The times at which the relay closed a connection, in Unix milliseconds. */
  const closedByRelay = [];
  const server = net.createServer((client) => {
    if (cut) return client.destroy();
    accepted += 1;
    open += 1;
    client.once('data', () => (connections += 1));
    client.once('close', () => (open -= 1));
    const relay = net.connect(target, '127.0.0.1');
    const connection = accepted;
    if (record) client.on('data', (bytes) => record(connection, bytes));
    connect(client, relay, sockets);
    relay.on('end', () => closedByRelay.push(Date.now()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: server.address().port,
    closedByRelay,
    /** Returns the number of connections over which a client has sent something. */
    connections: () => connections,
    /** Returns the number of open connections. */
    open: () => open,
    /** Waits until `count` connections are open. */
    async becomes(count) {
      for (let waited = 0; open !== count; waited += 50) {
        if (waited >= 10_000) throw new Error(`${open} connections are open instead of ${count}`);
        await sleep(50);
      }
    },
    /** Closes all connections and refuses new ones. */
    cut() {
      cut = true;
      drop();
    },
    /** Accepts connections again. */
    restore() {
      cut = false;
    },
    /** Stops forwarding on the open connections without closing them. New connections work. */
    stall() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async stop() {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
