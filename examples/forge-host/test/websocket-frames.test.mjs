import assert from 'node:assert/strict';
import test from 'node:test';
import { FrameReader } from '../src/relay/websocket-frames.mjs';

// These are the examples of RFC 6455, section 5.7.
const UNMASKED = '810548656c6c6f';
const MASKED = '818537fa213d7f9f4d5158';
const FRAGMENTS = '010348656c80026c6f';
const PING_BETWEEN = '010348656c' + '890548656c6c6f' + '80026c6f';

/** @param {string} hex */
const read = (hex) =>
  new FrameReader().push(Buffer.from(hex, 'hex')).map(({ opcode, payload }) => [opcode, payload.toString()]);

test('an unmasked frame is read', () => assert.deepEqual(read(UNMASKED), [[1, 'Hello']]));

test('a masked frame is read without its mask', () => assert.deepEqual(read(MASKED), [[1, 'Hello']]));

test('fragments are joined to a message', () => assert.deepEqual(read(FRAGMENTS), [[1, 'Hello']]));

test('a control frame may arrive between fragments', () => {
  assert.deepEqual(read(PING_BETWEEN), [
    [9, 'Hello'],
    [1, 'Hello'],
  ]);
});

test('16-bit and 64-bit lengths are read', () => {
  const middle = Buffer.concat([Buffer.from('827e0100', 'hex'), Buffer.alloc(256, 1)]);
  const long = Buffer.concat([Buffer.from('827f0000000000010000', 'hex'), Buffer.alloc(65536, 2)]);
  const sizes = new FrameReader().push(Buffer.concat([middle, long])).map(({ payload }) => payload.length);
  assert.deepEqual(sizes, [256, 65536]);
});

test('a stream split at any byte gives the same messages', () => {
  const stream = Buffer.from(UNMASKED + MASKED + FRAGMENTS, 'hex');
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = new FrameReader();
    const messages = [...reader.push(stream.subarray(0, cut)), ...reader.push(stream.subarray(cut))];
    assert.deepEqual(
      messages.map(({ payload }) => payload.toString()),
      ['Hello', 'Hello', 'Hello'],
    );
  }
});
