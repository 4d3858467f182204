// An HTTP proxy as some companies run it: requests pass unchanged, but `Upgrade` does not.
import http from 'node:http';

/** Forwards a request to the relay. The response to `/v1/send` is lost while `state.losing` is positive. */
function forward(target, state, streams, request, response) {
  const { upgrade: _, connection: __, ...headers } = request.headers;
  if (state.forwardedFor) headers['x-forwarded-for'] = state.forwardedFor;
  const options = { port: target, host: '127.0.0.1', method: request.method, path: request.url, headers };
  const forwarded = http.request(options, (answer) => {
    if (state.losing > 0 && request.url === '/v1/send') {
      state.losing -= 1;
      answer.resume();
      return response.destroy();
    }
    response.writeHead(answer.statusCode, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    if (request.url === '/v1/stream') streams.add(response);
    answer.once('error', () => response.destroy());
  });
  response.once('close', () => {
    streams.delete(response);
    forwarded.destroy();
  });
  forwarded.once('error', () => response.destroy());
  request.pipe(forwarded);
}

/** Forwards a request for a WebSocket without its `Upgrade`. */
function forwardWithoutUpgrade(target, request, socket) {
  const forwarded = http.get({ port: target, host: '127.0.0.1', path: request.url }, (answer) => {
    socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\n\r\n`);
    answer.resume();
  });
  forwarded.once('error', () => socket.destroy());
}

/** @param {number} target the relay's port */
export async function startHttpProxy(target) {
  const requests = [];
  const streams = new Set();
  const held = new Set();
  /**
   * `upgrades`: `strip` forwards requests for a WebSocket without `Upgrade`, `hold` leaves them unanswered. `forwardedFor`:
   * the client's address that the proxy sends to the relay. `losing`: the number of responses that are still to be lost.
   */
  const state = { upgrades: 'strip', forwardedFor: undefined, losing: 0 };
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    forward(target, state, streams, request, response);
  });
  // Node passes requests with `Upgrade` to this listener instead.
  server.on('upgrade', (request, socket) => {
    requests.push(`${request.method} ${request.url}`);
    socket.on('error', () => {});
    if (state.upgrades === 'hold') held.add(socket);
    else forwardWithoutUpgrade(target, request, socket);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    state,
    connections: () => requests.length,
    requests: () => [...requests],
    count: (request) => requests.filter((made) => made === request).length,
    /** Breaks every open stream. */
    cut: () => streams.forEach((stream) => stream.destroy()),
    /** Loses the responses to the next `count` requests to `/v1/send`. */
    lose: (count) => (state.losing = count),
    async stop() {
      held.forEach((socket) => socket.destroy());
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
