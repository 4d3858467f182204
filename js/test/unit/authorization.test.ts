import assert from 'node:assert/strict';
import { test } from 'node:test';

import { permissionsOf } from '../../src/backend/authorization.js';
import { isError } from '../support/rejects.js';

test('authorize grants both permissions or one', () => {
  assert.deepEqual(permissionsOf(true), ['subscribe', 'publish']);
  assert.deepEqual(permissionsOf({ subscribe: true, publish: true }), ['subscribe', 'publish']);
  assert.deepEqual(permissionsOf({ subscribe: true }), ['subscribe']);
  assert.deepEqual(permissionsOf({ subscribe: false, publish: true }), ['publish']);
});

test('a no is a refusal', () => {
  for (const no of [false, {}, { subscribe: false }, { subscribe: false, publish: undefined }]) {
    assert.throws(() => permissionsOf(no), isError('PERMISSION_MISSING', /authorize\(\) refused/));
  }
});

test('what is neither yes nor no is a mistake and grants nothing', () => {
  for (const neither of [undefined, null, 1, 'yes', ['subscribe'], { subscribe: 'yes' }, { read: true }]) {
    assert.throws(() => permissionsOf(neither), isError('INVALID_ARGUMENT', /authorize\(\) must return/));
  }
});
