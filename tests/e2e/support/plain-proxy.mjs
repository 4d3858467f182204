// A proxy as some companies have it: plain requests pass as they come, and `Upgrade` does not.
import http from 'node:http';

/** @param {number} target the relay's port */
export async function startPlainProxy(target) {
  const requests = [];
  const streams = new Set();
  /** `upgrades`: what to do with requests that ask for a WebSocket. `forwardedFor`: the client that it names to the relay. */
  const state = { upgrades: 'strip', forwardedFor: undefined };
  const held = new Set();
  /** Requests whose answer is to be lost on its way back. */
  let losing = 0;

  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const { upgrade: _, connection: __, ...headers } = request.headers;
    if (state.forwardedFor) headers['x-forwarded-for'] = state.forwardedFor;
    const options = { port: target, host: '127.0.0.1', method: request.method, path: request.url, headers };
    const passed = http.request(options, (answer) => {
      if (losing > 0 && request.url === '/v1/send') {
        losing -= 1;
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
      passed.destroy();
    });
    passed.once('error', () => response.destroy());
    request.pipe(passed);
  });
  // Without this, Node would hand the socket over.
  server.on('upgrade', (request, socket) => {
    requests.push(`${request.method} ${request.url}`);
    socket.on('error', () => {});
    if (state.upgrades === 'hold') {
      held.add(socket);
      return;
    }
    const passed = http.get({ port: target, host: '127.0.0.1', path: request.url }, (answer) => {
      socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\n\r\n`);
      answer.resume();
    });
    passed.once('error', () => socket.destroy());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    state,
    connections: () => requests.length,
    requests: () => [...requests],
    count: (request) => requests.filter((made) => made === request).length,
    /** Ends every stream that is open, without a word. */
    cut: () => streams.forEach((stream) => stream.destroy()),
    /** Loses the answers to the next requests that send. */
    lose: (count) => (losing = count),
    async stop() {
      held.forEach((socket) => socket.destroy());
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
