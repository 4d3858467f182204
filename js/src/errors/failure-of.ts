// Wraps an exception of the app or the platform in a SealwireError that says what failed.

import type { ErrorCode } from './codes.js';
import { SealwireError } from './sealwire-error.js';

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Returns a SealwireError for an exception. A SealwireError, which has a code already, is returned as it is. */
export function failureOf(
  what: string,
  thrown: unknown,
  code: ErrorCode = 'SESSION_UNAVAILABLE',
): SealwireError {
  if (thrown instanceof SealwireError) return thrown;
  return new SealwireError(code, `${what}: ${messageOf(thrown)}`, { cause: thrown });
}
