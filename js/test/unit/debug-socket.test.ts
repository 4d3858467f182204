import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import { withDebug, type DebugEvent } from '../../src/transport/debug-socket.js';
import { frameName } from '../../src/transport/frame-names.js';
import type { Socket } from '../../src/transport/socket.js';
import { fakeCore } from '../support/fake-core.js';
import { FakeSocket } from '../support/fake-socket.js';

interface FrameCase {
  direction: 'to-relay' | 'to-client';
  message: string;
  bytes: string;
}

const VECTORS = path.resolve('..', 'tests', 'vectors', 'frames.json');
const frames = JSON.parse(readFileSync(VECTORS, 'utf8')) as FrameCase[];

test('every message on the wire has a name', () => {
  for (const { direction, message, bytes } of frames) {
    const seen = frameName(direction === 'to-relay' ? 'sent' : 'received', Buffer.from(bytes, 'hex'));
    assert.equal(seen, message);
  }
  assert.equal(frameName('sent', new Uint8Array()), 'Unknown');
  assert.equal(frameName('received', new Uint8Array([0xff])), 'Unknown');
});

test('a frame is reported by its kind, direction and size, without its content', () => {
  const secret = 'secret-in-every-field';
  const events: DebugEvent[] = [];
  const socket = new FakeSocket();
  const shown = withDebug(
    () => socket,
    (event) => events.push(event),
  )(`wss://relay/${secret}`, 'p');
  const heard: unknown[] = [];
  shown.binaryType = 'arraybuffer';
  shown.onopen = () => heard.push('open');
  shown.onmessage = ({ data }) => heard.push(data);
  shown.onclose = ({ code }) => heard.push(code);

  socket.onopen?.();
  const hello = Buffer.concat([
    Buffer.from([0x0a, secret.length + 2, 0x0a, secret.length]),
    Buffer.from(secret),
  ]);
  shown.send(new Uint8Array(hello));
  const answer = new Uint8Array([0x2a, 0x02, 0x32, 0x00]).buffer;
  socket.onmessage?.({ data: answer });
  shown.close(1000);
  socket.onclose?.({ code: 4401 });

  assert.deepEqual(events, [
    { type: 'socket', event: 'connecting' },
    { type: 'socket', event: 'open' },
    { type: 'frame', direction: 'sent', frame: 'Hello', bytes: hello.length },
    { type: 'frame', direction: 'received', frame: 'Publication', bytes: 4 },
    { type: 'socket', event: 'closed', code: 4401 },
  ]);
  assert.ok(!JSON.stringify(events).includes('secret'));
  // The core receives the same events as without the listener.
  assert.deepEqual(heard, ['open', answer, 4401]);
  assert.equal(socket.binaryType, 'arraybuffer');
  assert.equal(socket.closeCode, 1000);
  assert.deepEqual(socket.sent, [hello.toString('hex')]);
});

test('states, sessions and tokens are reported by their kind, and an exception in the listener has no effect', async () => {
  const { sources, clients } = fakeCore();
  const events: DebugEvent[] = [];
  const session = async () => {
    throw new Error('secret reason');
  };
  const realtime = realtimeWith({ session, onDebug: (event) => events.push(event) }, sources);
  await realtime.publish('secret-channel', 'secret payload', { eventName: 'secret-event' });
  const { host } = clients[0]!;
  await host.session('connect').catch(() => {});
  host.token(() => 'secret-token', 1, true);
  host.state('reconnecting', { code: 'UNREACHABLE', message: 'secret message' });
  assert.deepEqual(events, [
    { type: 'session', reason: 'connect' },
    { type: 'token' },
    { type: 'state', state: 'reconnecting', code: 'UNREACHABLE' },
  ]);
});

test('the messages of a batch are reported one by one', () => {
  const events: DebugEvent[] = [];
  const socket = new FakeSocket();
  const shown = withDebug(
    () => socket,
    (event) => events.push(event),
  )('wss://relay', 'p');
  const heard: unknown[] = [];
  shown.onmessage = ({ data }) => heard.push(data);
  const batch = new Uint8Array([0x82, 2, 0x5a, 0, 0x82, 4, 0x2a, 2, 0x32, 0]).buffer;
  socket.onmessage?.({ data: batch });
  assert.deepEqual(events.slice(1), [
    { type: 'frame', direction: 'received', frame: 'Pong', bytes: 2 },
    { type: 'frame', direction: 'received', frame: 'Publication', bytes: 4 },
  ]);
  assert.deepEqual(heard, [batch]);
});

test('the core receives a socket for the requested address and protocol', async () => {
  const made: unknown[] = [];
  const real = globalThis.WebSocket;
  class Recorded {
    constructor(...given: unknown[]) {
      made.push(given);
    }
    close(): void {}
  }
  globalThis.WebSocket = Recorded as never;
  try {
    const { sources, clients } = fakeCore();
    await realtimeWith({}, sources).publish('n', 'x');
    const socket = clients[0]!.host.connect('wss://relay', 'sealwire.v1') as EventTarget & Socket;
    assert.deepEqual(made, [['wss://relay', ['sealwire.v1.batched', 'sealwire.v1']]]);
    socket.close();
  } finally {
    globalThis.WebSocket = real;
  }
});
