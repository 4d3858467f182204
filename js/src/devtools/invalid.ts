// Creates the error for a wrong argument. The panel does not import js/src/arguments/, so that its entry shares only the class
// of the errors with the others, and does not divide their code into more chunks.

import { SealwireError } from '../errors/sealwire-error.js';

export function invalid(message: string): SealwireError {
  return new SealwireError('INVALID_ARGUMENT', message);
}
