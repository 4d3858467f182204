// The two messages that concern the WebSocket and not a session on it: field 8 and 9 to the relay, field 12 to a client, as
// in protocol/proto/sealwire/v1/realtime.proto. A test compares them with tests/vectors/frames.json.

import { messagesIn } from '../transport/batch.js';

const SESSION_TO_RELAY = 0x42;
const END = 0x4a;
const SESSION_TO_CLIENT = 0x62;
const NUMBER = 0x08;

/** Turns to a session. */
export function encodeSession(number: number): Uint8Array<ArrayBuffer> {
  const varint = [];
  for (let rest = number; rest > 0; rest >>>= 7) varint.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
  const field = varint.length > 0 ? [NUMBER, ...varint] : [];
  return new Uint8Array([SESSION_TO_RELAY, field.length, ...field]);
}

/** Ends the session turned to. */
export function encodeEnd(): Uint8Array<ArrayBuffer> {
  return new Uint8Array([END, 0]);
}

/** The session that the relay turns to; undefined where a frame is for the session turned to. */
export function decodeSession(frame: Uint8Array): number | undefined {
  if (frame[0] !== SESSION_TO_CLIENT) return undefined;
  let number = 0;
  for (let index = 3, shift = 0; index < frame.length; index += 1, shift += 7) {
    number |= (frame[index]! & 0x7f) << shift;
  }
  return number >>> 0;
}

/**
 * What a WebSocket brought, in order: the numbers of the sessions that the relay turns to, and between them what is for the
 * session turned to, a message or a batch.
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
