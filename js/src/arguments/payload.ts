// Turns a payload into the JSON text that is sealed, and back.

import { SealwireError } from '../errors/sealwire-error.js';
import { invalid, kindOf } from './invalid.js';
import { byteLength } from './names.js';
import { plainJson } from './plain-json.js';

const MAX_PAYLOAD_BYTES = 128 * 1024;

/** An object as a payload. Arrays, and whatever else is iterated over, go inside an object: `{ items }`. */
export type Payload = object & { readonly [Symbol.iterator]?: never };

/**
 * A payload is a string or a JSON object, as in Forge; arrays and numbers go inside an object. Anything in it that JSON
 * would lose is refused.
 */
export function serialisePayload(payload: unknown): string {
  const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  if (typeof payload !== 'string' && !isObject) {
    throw invalid(
      `The payload must be a string or a JSON object, not ${kindOf(payload)}. Wrap it in an object.`,
    );
  }
  const text = plainJson('payload', payload);
  if (!/^["{]/.test(text)) {
    throw invalid("The payload's toJSON() must return a string or a JSON object. Wrap it in an object.");
  }
  const bytes = byteLength(text);
  if (bytes > MAX_PAYLOAD_BYTES) {
    const message = `The payload has ${bytes} bytes as JSON; the limit is ${MAX_PAYLOAD_BYTES} (128 KiB). Send a reference instead.`;
    throw new SealwireError('MESSAGE_SIZE', message);
  }
  return text;
}

/** A message that opened but is not JSON came from something else than this package. */
export function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SealwireError('MESSAGE_UNREADABLE', 'A message could not be opened.', { cause });
  }
}
