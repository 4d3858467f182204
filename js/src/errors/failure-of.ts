// Names what failed where something that the app or the platform provides threw an error of its own.

import type { ErrorCode } from './codes.js';
import { SealwireError } from './sealwire-error.js';

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** An error that has a code already says more than this could, and stays as it is. */
export function failureOf(
  what: string,
  thrown: unknown,
  code: ErrorCode = 'SESSION_UNAVAILABLE',
): SealwireError {
  if (thrown instanceof SealwireError) return thrown;
  return new SealwireError(code, `${what}: ${messageOf(thrown)}`, { cause: thrown });
}
