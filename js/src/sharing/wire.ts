// The messages that select and end a session on a shared WebSocket: fields 8 and 9 to the relay, field 12 to a client, as in
// protocol/proto/sealwire/v1/realtime.proto. A test compares them with tests/vectors/frames.json.

import { messagesIn } from '../transport/batch.js';

const SESSION_TO_RELAY = 0x42;
const END = 0x4a;
const SESSION_TO_CLIENT = 0x62;
const NUMBER = 0x08;

/** Encodes the message that selects a session for the messages that follow. */
export function encodeSession(number: number): Uint8Array<ArrayBuffer> {
  const varint = [];
  for (let rest = number; rest > 0; rest >>>= 7) varint.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
  const field = varint.length > 0 ? [NUMBER, ...varint] : [];
  return new Uint8Array([SESSION_TO_RELAY, field.length, ...field]);
}

/** Encodes the message that ends the selected session. */
export function encodeEnd(): Uint8Array<ArrayBuffer> {
  return new Uint8Array([END, 0]);
}

/** Returns the session that a frame of the relay selects; undefined if the frame is for the selected session. */
export function decodeSession(frame: Uint8Array): number | undefined {
  if (frame[0] !== SESSION_TO_CLIENT) return undefined;
  let number = 0;
  for (let index = 3, shift = 0; index < frame.length; index += 1, shift += 7) {
    number |= (frame[index]! & 0x7f) << shift;
  }
  return number >>> 0;
}

/**
 * Divides the data of a WebSocket, in order, into the numbers of the sessions that the relay selects and the data for the
 * selected session, which is a message or a batch.
 */
export function* divide(data: ArrayBuffer): Generator<number | ArrayBuffer> {
  const bytes = new Uint8Array(data);
  let start = 0;
  for (const { frame, message, end } of messagesIn(bytes)) {
    const session = decodeSession(bytes.subarray(message, end));
    if (session === undefined) continue;
    if (start < frame) yield data.slice(start, frame);
    yield session;
    start = end;
  }
  if (start === 0) yield data;
  else if (start < bytes.length) yield data.slice(start);
}
