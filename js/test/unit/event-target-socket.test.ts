import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withEvents } from '../../src/transport/event-target-socket.js';
import type { Socket } from '../../src/transport/socket.js';

function quietSocket() {
  const sent: unknown[] = [];
  const socket: Socket = {
    binaryType: 'blob',
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (bytes) => void sent.push([...bytes]),
    close: (code) => void sent.push(['closed', code]),
  };
  return { socket, sent };
}

test('a socket that is not a WebSocket has the events, the state and the methods of one', () => {
  const { socket, sent } = quietSocket();
  const shown = withEvents(() => socket)('wss://relay', 'sealwire.v1') as EventTarget &
    Socket & { readyState: number };
  const heard: unknown[] = [];
  for (const type of ['open', 'message', 'close']) {
    shown.addEventListener(type, (event) => {
      const { data, code } = event as Event & { data?: unknown; code?: number };
      heard.push([type, shown.readyState, data ?? code]);
    });
  }
  shown.binaryType = 'arraybuffer';
  assert.equal(socket.binaryType, 'arraybuffer');
  assert.equal(shown.readyState, 0);
  socket.onopen?.();
  socket.onmessage?.({ data: 'text' });
  socket.onclose?.({ code: 4401 });
  assert.deepEqual(heard, [
    ['open', 1, undefined],
    ['message', 1, 'text'],
    ['close', 3, 4401],
  ]);
  shown.send(new Uint8Array([1, 2]));
  shown.close(4400);
  assert.deepEqual(sent, [
    [1, 2],
    ['closed', 4400],
  ]);
});

test('a socket that closes before it opened dispatches error and close, as a WebSocket does', () => {
  const { socket } = quietSocket();
  const shown = withEvents(() => socket)('wss://relay', 'sealwire.v1') as EventTarget & {
    readyState: number;
  };
  const heard: unknown[] = [];
  for (const type of ['open', 'error', 'close']) {
    shown.addEventListener(type, () => heard.push([type, shown.readyState]));
  }
  socket.onclose?.({ code: 1006 });
  assert.deepEqual(heard, [
    ['error', 3],
    ['close', 3],
  ]);
});

test('a socket that is an EventTarget is returned as it is', () => {
  const websocket = new EventTarget();
  assert.equal(withEvents(() => websocket as never)('wss://relay', 'sealwire.v1'), websocket);
});

test('close() dispatches one close event and detaches the inner socket', async () => {
  const { socket } = quietSocket();
  const shown = withEvents(() => socket)('wss://relay', 'sealwire.v1') as EventTarget &
    Socket & { readyState: number };
  const heard: unknown[] = [];
  shown.addEventListener('close', (event) => heard.push((event as Event & { code: number }).code));
  socket.onopen?.();
  shown.close(4408);
  assert.deepEqual(heard, []);
  await null;
  assert.deepEqual([heard, shown.readyState], [[4408], 3]);
  assert.deepEqual([socket.onopen, socket.onmessage, socket.onclose], [null, null, null]);
});

test('the close event of a failed connection contains the failure', () => {
  const { socket } = quietSocket();
  const shown = withEvents(() => socket)('wss://relay', 'sealwire.v1') as EventTarget;
  const failure = { code: 'ORIGIN_REFUSED', message: 'No.' };
  const heard: unknown[] = [];
  shown.addEventListener('close', (event) => heard.push((event as Event & { failure: unknown }).failure));
  socket.onclose?.({ code: 1006, failure });
  assert.deepEqual(heard, [failure]);
});
