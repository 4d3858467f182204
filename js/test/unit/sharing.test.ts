import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Multiplexer, MAX_SESSIONS } from '../../src/sharing/multiplexer.js';
import { decodeSession, divide, encodeEnd, encodeSession } from '../../src/sharing/wire.js';
import { messagesIn } from '../../src/transport/batch.js';
import { FakePage, listen, settled } from '../support/fake-page.js';
import { FakeSocket } from '../support/fake-socket.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (...values: number[]) => new Uint8Array(values);

/** Returns a multiplexer and its socket. */
function multiplexed() {
  const socket = new FakeSocket();
  const multiplexer = new Multiplexer(
    () => socket,
    'u',
    'p',
    () => {},
  );
  return { socket, multiplexer };
}

test('the messages that select and end a session are those of the vectors', () => {
  const file = path.resolve('..', 'tests', 'vectors', 'frames.json');
  const frames = JSON.parse(readFileSync(file, 'utf8')) as Record<
    'direction' | 'message' | 'bytes',
    string
  >[];
  const find = (direction: string, message: string) =>
    frames.find((frame) => frame.direction === direction && frame.message === message)!.bytes;
  assert.equal(hex(encodeSession(300)), find('to-relay', 'Session'));
  assert.equal(hex(encodeEnd()), find('to-relay', 'End'));
  assert.equal(decodeSession(Buffer.from(find('to-client', 'Session'), 'hex')), 300);
  for (const number of [0, 1, 127, 128, 300, 2 ** 21, 2 ** 32 - 1]) {
    const frame = encodeSession(number);
    frame[0] = 0x62;
    assert.equal(decodeSession(frame), number);
  }
  for (const { direction, message, bytes: text } of frames) {
    if (direction === 'to-client' && message !== 'Session') {
      assert.equal(decodeSession(Buffer.from(text, 'hex')), undefined, message);
    }
  }
});

test('the messages of a batch are those of the vectors', () => {
  const file = path.resolve('..', 'tests', 'vectors', 'batches.json');
  const cases = JSON.parse(readFileSync(file, 'utf8')) as {
    what: string;
    bytes: string;
    messages: string[];
    broken: boolean;
  }[];
  for (const { what, bytes: text, messages, broken } of cases) {
    const batch = new Uint8Array(Buffer.from(text, 'hex'));
    const places = [...messagesIn(batch)];
    const found = places.map(({ message, end }) => hex(batch.subarray(message, end)));
    assert.deepEqual(found, messages, what);
    assert.equal(places.at(-1)!.end < batch.length, broken, what);
    // A batch that selects no session is passed on as it is.
    assert.deepEqual([...divide(batch.buffer)], [batch.buffer], what);
  }
});

test('a batch is divided where the relay selects another session', () => {
  const turn = [0x82, 4, 0x62, 2, 8, 3];
  const back = [0x82, 2, 0x62, 0];
  const message = (value: number) => [0x82, 1, value];
  const parts = (...values: number[][]) =>
    [...divide(bytes(...values.flat()).buffer)].map((part) =>
      typeof part === 'number' ? part : hex(new Uint8Array(part)),
    );
  assert.deepEqual(parts(message(1), message(2), turn, message(3), back, message(4), message(5)), [
    '820101820102',
    3,
    '820103',
    0,
    '820104820105',
  ]);
  assert.deepEqual(parts(turn, back, message(1)), [3, 0, '820101']);
  assert.deepEqual(parts(message(1), turn), ['820101', 3]);
  // A broken batch reaches the session, which reports it.
  assert.deepEqual(parts(turn, [0x82, 9, 1]), [3, '820901']);
});

test('each session receives its part of a batch', () => {
  const { socket, multiplexer } = multiplexed();
  const heard = [listen(multiplexer.takeSlot()), listen(multiplexer.takeSlot())];
  socket.onopen?.();
  socket.receive(0x82, 1, 9, 0x82, 4, 0x62, 2, 8, 1, 0x82, 1, 10, 0x82, 1, 11);
  socket.receive(12);
  assert.deepEqual(heard, [
    ['open', '820109'],
    ['open', '82010a82010b', '0c'],
  ]);
});

test('sessions are selected on a shared socket, and a single session needs no selection', () => {
  const { socket, multiplexer } = multiplexed();
  const first = multiplexer.takeSlot();
  const heardFirst = listen(first);
  socket.onopen?.();
  first.send(bytes(1));
  first.send(bytes(2));
  socket.receive(9);
  assert.deepEqual(socket.sent, ['01', '02']);
  const second = multiplexer.takeSlot();
  const heardSecond = listen(second);
  second.send(bytes(3));
  second.send(bytes(4));
  first.send(bytes(5));
  assert.deepEqual(socket.sent.slice(2), ['42020801', '03', '04', '4200', '05']);
  socket.receive(0x62, 2, 8, 1);
  socket.receive(10);
  socket.receive(0x62, 0);
  socket.receive(11);
  assert.deepEqual(heardFirst, ['open', '09', '0b']);
  assert.deepEqual(heardSecond, ['0a']);
  second.close();
  assert.deepEqual(socket.sent.slice(7), ['42020801', '4a00']);
  first.close();
  assert.ok(socket.isClosed);
});

test('a lost socket is lost for every session, and the next socket starts with session 0', () => {
  const sockets: FakeSocket[] = [];
  let emptied = 0;
  const connect = () => {
    sockets.push(new FakeSocket());
    return sockets.at(-1)!;
  };
  const multiplexer = new Multiplexer(connect, 'u', 'p', () => (emptied += 1));
  const heard = [listen(multiplexer.takeSlot()), listen(multiplexer.takeSlot())];
  sockets[0]!.onopen?.();
  sockets[0]!.onclose?.({ code: 4503 });
  assert.deepEqual(heard, [
    ['open', 'closed 4503'],
    ['open', 'closed 4503'],
  ]);
  assert.equal(emptied, 1);
  const place = multiplexer.takeSlot();
  sockets[1]!.onopen?.();
  place.send(bytes(1));
  assert.deepEqual(sockets[1]!.sent, ['01']);
});

test('six frames share one socket, and exchange nothing but the frames of the wire', async () => {
  const page = new FakePage();
  const frames = Array.from({ length: 6 }, () => page.frame());
  const sockets = frames.map((frame) => frame.connect());
  const heard = sockets.map(listen);
  await settled();
  assert.equal(page.sockets.length, 1);
  const [wire] = page.sockets as [FakeSocket];
  wire.onopen?.();
  await settled();
  assert.deepEqual(heard, Array(6).fill(['open']));
  for (const [index, socket] of sockets.entries()) {
    socket.send(bytes(0xa0 + index));
    await settled();
  }
  const numbers = wire.sent.filter((frame) => frame.startsWith('42')).length;
  assert.equal(numbers, 5);
  assert.equal(wire.sent.length, 11);
  for (const message of page.overheard) {
    const { type, data } = JSON.parse(message) as { type: string; data?: string };
    assert.ok(['leads', 'asks', 'taken', 'open', 'frame'].includes(type), type);
    if (data) assert.ok(data.startsWith('a'), data);
  }
});

test('when the leader leaves, the next frame leads, and every frame’s core is woken at once', async () => {
  const page = new FakePage();
  const frames = Array.from({ length: 3 }, () => page.frame());
  const sockets = frames.map((frame) => frame.connect());
  const heard = sockets.map(listen);
  await settled();
  page.sockets[0]!.onopen?.();
  await settled();
  frames[0]!.leave();
  await settled();
  assert.ok(page.sockets[0]!.isClosed);
  assert.deepEqual(heard.slice(1), Array(2).fill(['open', 'closed 1006']));
  assert.deepEqual(
    frames.slice(1).map((frame) => frame.woken() > 0),
    [true, true],
  );
  const again = frames.slice(1).map((frame) => frame.connect());
  const heardAgain = again.map(listen);
  await settled();
  assert.equal(page.sockets.length, 2);
  page.sockets[1]!.onopen?.();
  await settled();
  assert.deepEqual(heardAgain, [['open'], ['open']]);
});

test('a leader whose frame was removed without an event is replaced, and a removed follower’s slot is released', async () => {
  const page = new FakePage();
  const frames = Array.from({ length: 3 }, () => page.frame());
  const heard = frames.map((frame) => listen(frame.connect()));
  await settled();
  page.sockets[0]!.onopen?.();
  await settled();
  frames[0]!.remove();
  await settled(1_200);
  assert.deepEqual(heard.slice(1), Array(2).fill(['open', 'closed 1006']));
  listen(frames[1]!.connect());
  listen(frames[2]!.connect());
  await settled();
  assert.equal(page.sockets.length, 2);
  page.sockets[1]!.onopen?.();
  await settled();
  const sent = page.sockets[1]!.sent.length;
  frames[2]!.remove();
  await settled(1_200);
  // The leader selects the session of the removed frame, and ends it.
  assert.deepEqual(page.sockets[1]!.sent.slice(sent), ['42020801', '4a00']);
  assert.equal(frames[2]!.claims(), 0);
});

test('a frame that is cached loses its slot, and holds nothing that others wait for', async () => {
  const page = new FakePage();
  const [leader, follower] = [page.frame(), page.frame()];
  const heard = [listen(leader.connect()), listen(follower.connect())];
  await settled();
  page.sockets[0]!.onopen?.();
  await settled();
  follower.leave();
  await settled();
  assert.deepEqual(heard, [['open'], ['open', 'closed 1006']]);
  assert.equal(follower.claims(), 0);
  leader.leave();
  await settled();
  assert.deepEqual(heard[0], ['open', 'closed 1006']);
  assert.equal(leader.claims(), 0);
});

test('frames connect alone if the leader is stalled', async () => {
  const page = new FakePage();
  const [leader, follower] = [page.frame(), page.frame()];
  listen(leader.connect());
  await settled();
  page.isDeaf = true;
  const heard = listen(follower.connect());
  await settled(1_600);
  assert.equal(page.sockets.length, 2);
  page.sockets[1]!.onopen?.();
  assert.deepEqual(heard, ['open']);
});

test('frames beyond the limit of one connection have separate sockets', async () => {
  const page = new FakePage();
  const frames = Array.from({ length: MAX_SESSIONS + 2 }, () => page.frame());
  for (const frame of frames) listen(frame.connect());
  for (let turn = 0; turn < 100 && page.sockets.length < 3; turn += 1) await settled();
  assert.equal(page.sockets.length, 3);
});

test('sockets to other relays are not shared', async () => {
  const page = new FakePage();
  const frame = page.frame();
  listen(frame.connect('wss://one'));
  listen(frame.connect('wss://two'));
  await settled();
  assert.equal(page.sockets.length, 2);
});

test('a socket that is closed before a leader is known is never opened', async () => {
  const page = new FakePage();
  const heard = listen(page.frame().connect());
  const socket = page.frame().connect();
  socket.close();
  await settled();
  assert.equal(page.sockets.length, 1);
  assert.deepEqual(heard, []);
});

test('a session that timed out closes a socket that is silent for all sessions, and no other', (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { socket, multiplexer } = multiplexed();
  const [first, second, third] = [multiplexer.takeSlot(), multiplexer.takeSlot(), multiplexer.takeSlot()];
  const heard = listen(third);
  socket.onopen?.('websocket');
  now = 2_000;
  socket.receive(0x1a, 0);
  now = 4_000;
  first.close(4408);
  assert.deepEqual([socket.isClosed, heard], [false, ['open']], 'others hear from the relay');
  now = 5_000;
  second.close(4408);
  assert.deepEqual([socket.isClosed, heard], [true, ['open', 'closed 1006']]);
});

test('a follower whose session timed out closes the dead socket of its leader', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const page = new FakePage();
  const [leader, follower] = [page.frame(), page.frame()];
  const leading = leader.connect();
  await settled();
  const following = follower.connect();
  await settled();
  page.sockets[0]!.onopen?.('websocket');
  await settled();
  const heard = listen(leading);
  now = 10_000;
  following.close(4408);
  await settled();
  assert.deepEqual([page.sockets[0]!.isClosed, heard], [true, ['closed 1006']]);
});

test('the failure of the page’s socket reaches every frame', async () => {
  const page = new FakePage();
  const frames = [page.frame(), page.frame()];
  const sockets = frames.map((frame) => frame.connect());
  const failures: unknown[] = [];
  for (const socket of sockets) socket.onclose = ({ failure }) => failures.push(failure);
  await settled();
  const failure = { code: 'TOO_MANY_CONNECTIONS', message: 'Too many.', retryAfterMs: 5 };
  page.sockets[0]!.onclose?.({ code: 1006, failure });
  await settled();
  assert.deepEqual(failures, [failure, failure]);
});
