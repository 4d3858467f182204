// Turns what the Rust core rejects with, a plain object, into a SealwireError.

import type { CoreError } from '../core/core-error.js';
import { failureOf } from './failure-of.js';
import { SealwireError } from './sealwire-error.js';

function isCoreError(value: unknown): value is CoreError {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Record<string, unknown>;
  return typeof code === 'string' && typeof message === 'string';
}

/** The core speaks in clauses, as Rust errors do; people read sentences. */
export function sentence(clause: string): string {
  const text = clause.charAt(0).toUpperCase() + clause.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Anything that is not a core's error is a fault of this package, and is passed on with its cause. */
export function errorFromCore(value: unknown): SealwireError {
  if (value instanceof SealwireError) return value;
  if (isCoreError(value)) {
    const { code, message, retryAfterMs, mayHaveArrived } = value;
    return new SealwireError(code, sentence(message), { retryAfterMs, mayHaveArrived });
  }
  return failureOf('The realtime core failed', value, 'UNREACHABLE');
}
