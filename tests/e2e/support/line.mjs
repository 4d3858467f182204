// A TCP line between the browser and the relay that can be cut and mended, and can stall: alive by the look of it.
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** @param {number} target the relay's port */
export async function startLine(target) {
  const sockets = new Set();
  let cut = false;
  let connections = 0;
  let open = 0;
  /** When the relay closed a connection, in Unix milliseconds. */
  const closedByRelay = [];
  const server = net.createServer((client) => {
    if (cut) return client.destroy();
    connections += 1;
    open += 1;
    client.once('close', () => (open -= 1));
    const relay = net.connect(target, '127.0.0.1');
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
    relay.on('end', () => closedByRelay.push(Date.now()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: server.address().port,
    closedByRelay,
    connections: () => connections,
    /** Connections that are open now. */
    open: () => open,
    /** Waits until so many are open. */
    async becomes(count) {
      for (let waited = 0; open !== count; waited += 50) {
        if (waited >= 10_000) throw new Error(`${open} connections are open, not ${count}`);
        await sleep(50);
      }
    },
    cut() {
      cut = true;
      drop();
    },
    mend() {
      cut = false;
    },
    /** From now on nothing comes through the connections there are. Nobody is told, and new ones work. */
    stall() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async stop() {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
