// Asserts the code and the sentence of a SealwireError.

import assert from 'node:assert/strict';

import { SealwireError } from '../../src/errors/sealwire-error.js';

export function isError(code: string, message: RegExp): (thrown: unknown) => true {
  return (thrown) => {
    assert.ok(thrown instanceof SealwireError, `not a SealwireError: ${String(thrown)}`);
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, message);
    return true;
  };
}
