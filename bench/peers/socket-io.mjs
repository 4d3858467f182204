// Fan-out with the rooms of socket.io over its WebSocket transport.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const server = new Server(http, {
  transports: ['websocket'],
  pingInterval: 120000,
  pingTimeout: 120000,
  perMessageDeflate: false,
});

server.on('connection', (socket) => {
  socket.on('s', (channel) => {
    socket.join(channel);
    socket.emit('r');
  });
  socket.on('p', (channel, payload) => server.to(channel).emit('m', payload));
});

http.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
  console.log(`listening on http://127.0.0.1:${http.address().port}`),
);
