// Converts a payload into the JSON text that is sealed, and back.

import { SealwireError } from '../errors/sealwire-error.js';
import { invalid, kindOf } from './invalid.js';
import { byteLength } from './names.js';
import { plainJson } from './plain-json.js';

const MAX_PAYLOAD_BYTES = 128 * 1024;

/** A payload that is an object. An array, or any other iterable, goes inside an object: `{ items }`. */
export type Payload = object & { readonly [Symbol.iterator]?: never };

/**
 * Converts a payload into JSON. As in Forge, a payload is a string or a JSON object; arrays and numbers go inside an object.
 * A payload with a part that JSON would lose is refused.
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

/** Parses a decrypted payload. Text that is not JSON comes from a publisher without this package. */
export function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SealwireError('MESSAGE_UNREADABLE', 'A message could not be opened.', { cause });
  }
}
