import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { Balancer } from '../src/cluster/balancer.mjs';

/** A client that is never answered fails its test. */
const TIMED = { timeout: 10_000 };
const ANNA = 'http://127.0.0.1:4001';

/**
 * Starts a stand-in for a relay, which answers each request with its own name, refuses the upgrade of /refused, and sends back
 * everything that a switched connection sends.
 * @param {import('node:test').TestContext} context
 * @param {string} id
 */
async function startTarget(context, id) {
  /** @type {Set<import('node:stream').Duplex>} */
  const switched = new Set();
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.url === '/v1/stream') return void response.write(`${id}: open`);
    response.setHeader('x-relay', id).end(Buffer.concat(chunks));
  });
  server.on('upgrade', (request, socket) => {
    if (request.url === '/refused')
      return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope');
    switched.add(socket);
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.write(`${id}:`);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  const target = { id, port, runs: true, ready: true, isReady: async () => target.ready };
  const kill = () => {
    target.runs = false;
    for (const socket of switched) socket.destroy();
    server.closeAllConnections();
  };
  context.after(() => {
    kill();
    server.close();
  });
  return { target, kill };
}

/** @param {import('node:test').TestContext} context */
async function start(context) {
  const [one, two] = [await startTarget(context, 'relay-1'), await startTarget(context, 'relay-2')];
  const balancer = new Balancer([one.target, two.target], (origin) =>
    origin === ANNA ? { person: 'anna', preferred: 1 } : undefined,
  );
  const port = await balancer.listen();
  context.after(() => balancer.close());
  /** @param {string | undefined} [origin] */
  const ask = async (origin, body = 'text') => {
    const headers = origin === undefined ? undefined : { origin };
    const response = await fetch(`http://127.0.0.1:${port}/v1/publish`, { method: 'POST', headers, body });
    return { status: response.status, relay: response.headers.get('x-relay'), body: await response.text() };
  };
  return { one, two, balancer, port, ask };
}

/**
 * Asks for an upgrade, and returns the connection and everything that arrived on it.
 * @param {number} port
 * @param {string} [path]
 */
function upgrade(port, path = '/v1/realtime') {
  const socket = net.connect(port, '127.0.0.1');
  const state = { socket, text: '' };
  socket.on('data', (bytes) => (state.text += bytes));
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: relay\r\nOrigin: ${ANNA}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  return state;
}

/** @param {{ socket: net.Socket, text: string }} state @param {string} text */
async function arrives(state, text) {
  while (!state.text.includes(text)) await once(state.socket, 'data');
}

test(
  "a person's requests go to the preferred relay while it is ready, and to another one otherwise",
  TIMED,
  async (context) => {
    const { one, two, ask } = await start(context);
    assert.deepEqual(await ask(ANNA, 'sent'), { status: 200, relay: 'relay-2', body: 'sent' });
    two.target.ready = false;
    assert.equal((await ask(ANNA)).relay, 'relay-1');
    one.kill();
    assert.equal((await ask(ANNA)).relay, 'relay-2', 'a relay that is not ready answers with its own error');
    two.kill();
    assert.equal((await ask(ANNA)).status, 503);
  },
);

test('requests without an origin take turns', TIMED, async (context) => {
  const { ask } = await start(context);
  const relays = [await ask(), await ask(), await ask()].map(({ relay }) => relay);
  assert.deepEqual(relays, ['relay-1', 'relay-2', 'relay-1']);
});

test('a WebSocket is connected in both directions, and ends with its relay', TIMED, async (context) => {
  const { two, balancer, port } = await start(context);
  const connection = upgrade(port);
  await arrives(connection, 'relay-2:');
  assert.deepEqual(balancer.targetsOf('anna'), ['relay-2']);
  connection.socket.write('echo');
  await arrives(connection, 'echo');

  two.kill();
  await once(connection.socket, 'close');
  assert.deepEqual(balancer.targetsOf('anna'), []);
  const next = upgrade(port);
  await arrives(next, 'relay-1:');
  assert.deepEqual(balancer.targetsOf('anna'), ['relay-1']);
  next.socket.destroy();
});

test(
  'a response without an end reaches the client as it grows, and breaks with its relay',
  TIMED,
  async (context) => {
    const { two, balancer, port } = await start(context);
    const response = await fetch(`http://127.0.0.1:${port}/v1/stream`, {
      method: 'POST',
      headers: { origin: ANNA },
    });
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'relay-2: open');
    assert.deepEqual(balancer.targetsOf('anna'), ['relay-2']);
    two.kill();
    await assert.rejects(reader.read());
    assert.deepEqual(balancer.targetsOf('anna'), []);
  },
);

test("a relay's refusal of a WebSocket reaches the client", TIMED, async (context) => {
  const { balancer, port } = await start(context);
  const connection = upgrade(port, '/refused');
  await arrives(connection, 'nope');
  assert.match(connection.text, /^HTTP\/1\.1 403 Forbidden\r\n/);
  assert.deepEqual(balancer.targetsOf('anna'), []);
});
