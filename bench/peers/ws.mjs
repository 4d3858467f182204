// Fan-out with the package `ws`, as its documentation shows it, in the plain dialect of the load generator.
import { WebSocketServer } from 'ws';

const channels = new Map();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });

server.on('connection', (socket) => {
  let joined;
  socket.on('message', (data) => {
    if (data[0] === 0x53) {
      joined = data.toString('latin1', 1);
      if (!channels.has(joined)) channels.set(joined, new Set());
      channels.get(joined).add(socket);
      socket.send(Buffer.from('R'));
    } else {
      const space = data.indexOf(0x20);
      const message = data.subarray(space + 1);
      for (const subscriber of channels.get(data.toString('latin1', 1, space)) ?? []) {
        if (subscriber.readyState === 1) subscriber.send(message);
      }
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => channels.get(joined)?.delete(socket));
});

server.on('listening', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
