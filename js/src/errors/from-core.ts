// Converts the plain object with which the Rust core rejects into a SealwireError.

import type { CoreError } from './core-error.js';
import { failureOf } from './failure-of.js';
import { SealwireError } from './sealwire-error.js';

function isCoreError(value: unknown): value is CoreError {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Record<string, unknown>;
  return typeof code === 'string' && typeof message === 'string';
}

/** Converts a clause of the core, such as Rust errors are, into a sentence. */
export function sentence(clause: string): string {
  const text = clause.charAt(0).toUpperCase() + clause.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Returns a SealwireError. A value that is no error of the core is a fault of this package and becomes the cause. */
export function errorFromCore(value: unknown): SealwireError {
  if (value instanceof SealwireError) return value;
  if (isCoreError(value)) {
    const { code, message, retryAfterMs, mayHaveArrived } = value;
    return new SealwireError(code, sentence(message), { retryAfterMs, mayHaveArrived });
  }
  return failureOf('The realtime core failed', value, 'UNREACHABLE');
}
