import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import path from 'node:path';

import { codes, isRetryable } from '../../src/errors/codes.js';
import { SealwireError } from '../../src/errors/sealwire-error.js';

const VECTORS = path.resolve('..', 'tests', 'vectors', 'codes.json');

test('the codes are those of the protocol, with the same numbers, close codes and retries', () => {
  const here = codes.map(([name, number, closeCode]) => ({
    name,
    number,
    closeCode,
    retry: isRetryable(name),
  }));
  assert.deepEqual(here, JSON.parse(readFileSync(VECTORS, 'utf8')));
});

test('an error says whether a retry can succeed', () => {
  assert.equal(new SealwireError('RATE_LIMITED', 'Slow down.').retryable, true);
  assert.equal(new SealwireError('NAME_INVALID', 'No.').retryable, false);
  assert.equal(new SealwireError('OF_A_NEWER_RELAY', 'Unknown.').retryable, false);
});

test('an error is an Error with a name, a code and a cause', () => {
  const cause = new TypeError('below');
  const error = new SealwireError('UNREACHABLE', 'No relay.', { cause, retryAfterMs: 5 });
  assert.ok(error instanceof Error);
  assert.equal(`${error}`, 'SealwireError: No relay.');
  assert.equal(error.cause, cause);
  assert.equal(error.retryAfterMs, 5);
});
