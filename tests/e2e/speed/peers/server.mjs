// Servers that speak as much of Centrifugo's and Ably's protocols as one subscription needs. Each sends its messages at once after
// the subscription, many in one message of the WebSocket, as the relay does.
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const CHANNEL = 'speed';

/** Returns the messages in groups, of which each is one message of the WebSocket. */
function* groups(count, size) {
  for (let from = 0; from < count; from += size) yield Math.min(size, count - from);
}

/** Answers a client of Centrifugo. `codec` is that of the client itself, which also encodes what a server sends. */
function centrifugo(socket, codec, { payload, count, group }) {
  const send = (replies) => socket.send(codec.encodeReplies(replies));
  socket.on('message', (bytes, isBinary) => {
    const commands = codec.decodeCommands(isBinary ? bytes : String(bytes));
    for (const { id, connect, subscribe } of commands) {
      if (connect) send([{ id, connect: { client: 'one', version: '6', ping: 0, pong: false } }]);
      if (!subscribe) continue;
      send([{ id, subscribe: {} }]);
      const push = { push: { channel: CHANNEL, pub: { data: payload } } };
      for (const size of groups(count, group)) send(Array.from({ length: size }, () => push));
    }
  });
}

const Ably = { Connected: 4, Attach: 10, Attached: 11, Message: 15 };

/** Answers a client of Ably. `encode` and `decode` are those of the format. */
function ably(socket, { encode, decode }, group, { payload, count }) {
  const send = (message) => socket.send(encode(message));
  const connectionDetails = {
    clientId: '*',
    connectionKey: 'one!key',
    maxMessageSize: 65_536,
    maxInboundRate: 1_000,
    connectionStateTtl: 120_000,
    maxIdleInterval: 0,
  };
  send({ action: Ably.Connected, connectionId: 'one', connectionKey: 'one!key', connectionDetails });
  socket.on('message', (bytes, isBinary) => {
    const { action, channel } = decode(isBinary ? bytes : String(bytes));
    if (action !== Ably.Attach) return;
    send({ action: Ably.Attached, channel, channelSerial: '0', flags: 0 });
    let serial = 0;
    for (const size of groups(count, group)) {
      const messages = Array.from({ length: size }, () => ({ name: 'change', data: payload }));
      serial += 1;
      const id = `one:${serial}`;
      send({ action: Ably.Message, channel, id, connectionId: 'one', timestamp: Date.now(), messages });
    }
  });
}

/**
 * Serves the pages and the protocols. `folder` has the packages of the peers.
 * @param {{ folder: string, files: Map<string, string>, codecs: object, payload: string, count: number, group: number }} options
 */
export async function startPeers({ folder, files, codecs, ...load }) {
  const require = createRequire(path.join(folder, 'package.json'));
  const { WebSocketServer } = require('ws');
  const msgpack = createRequire(require.resolve('ably'))('@ably/msgpack-js');
  const json = { encode: JSON.stringify, decode: JSON.parse };
  const binary = new TextEncoder().encode(JSON.stringify(load.payload));
  const answers = {
    'centrifuge-json': (socket) => centrifugo(socket, codecs.json, load),
    'centrifuge-protobuf': (socket) => centrifugo(socket, codecs.protobuf, { ...load, payload: binary }),
    // Ably sends each publication by itself, or several as one with its server-side batching.
    'ably-json': (socket) => ably(socket, json, 1, load),
    'ably-msgpack': (socket) => ably(socket, msgpack, 1, load),
    'ably-json-batched': (socket) => ably(socket, json, load.group, load),
    'ably-msgpack-batched': (socket) => ably(socket, msgpack, load.group, load),
  };
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://127.0.0.1');
    const script = files.get(pathname);
    const type = script ? 'text/javascript' : 'text/html';
    response.writeHead(200, { 'content-type': type }).end(script ?? '<!doctype html><title>peers</title>');
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket, request) => {
    const { searchParams, pathname } = new URL(request.url, 'http://127.0.0.1');
    // The address of Ably's client has no path; the test names the kind of server in a parameter.
    answers[pathname === '/' ? searchParams.get('peer') : pathname.slice(1)](socket);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
