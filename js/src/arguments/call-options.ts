// Checks the options of a single call: its time limit, its signal, and the idempotency id and the signature of a
// publication.

import { SealwireError } from '../errors/sealwire-error.js';
import { invalid, kindOf } from './invalid.js';
import { byteLength } from './names.js';
import { ILL_FORMED, isWellFormed } from './well-formed.js';

const MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000;
const MAX_ID_BYTES = 255;

export function checkTimeoutMs(value: unknown, name = 'timeoutMs'): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= MAX_TIMEOUT_MS) return value;
  throw invalid(
    `The option ${name} must be a number of milliseconds from 0 to ${MAX_TIMEOUT_MS} (24 hours).`,
  );
}

export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined;
  const { aborted, addEventListener } = (value ?? {}) as Record<string, unknown>;
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') return value as AbortSignal;
  throw invalid(`The option signal must be an AbortSignal, not ${kindOf(value)}.`);
}

export function checkIdempotencyId(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    throw invalid(`The option idempotencyId must be a string, not ${kindOf(value)}.`);
  }
  if (!isWellFormed(value)) throw new SealwireError('INVALID_ARGUMENT', `The idempotencyId ${ILL_FORMED}`);
  const bytes = byteLength(value);
  if (bytes >= 1 && bytes <= MAX_ID_BYTES) return value;
  throw invalid(`The option idempotencyId has ${bytes} bytes; it must have 1 to ${MAX_ID_BYTES}.`);
}

export function checkSigned(value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(`The option signed must be true or false, not ${kindOf(value)}.`);
}
