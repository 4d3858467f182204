// What a call with wrong arguments throws.

import { SealwireError } from '../errors/sealwire-error.js';

export function invalid(message: string): SealwireError {
  return new SealwireError('INVALID_ARGUMENT', message);
}

/** Names a value's kind without showing the value: it may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : typeof value;
}
