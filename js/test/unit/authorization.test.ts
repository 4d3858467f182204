import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decisionOf } from '../../src/backend/authorization.js';
import { isError } from '../support/rejects.js';

test('authorize grants both permissions or one', () => {
  assert.deepEqual(decisionOf(true), { can: ['subscribe', 'publish'] });
  assert.deepEqual(decisionOf({ subscribe: true, publish: true }), { can: ['subscribe', 'publish'] });
  assert.deepEqual(decisionOf({ subscribe: true }), { can: ['subscribe'] });
  assert.deepEqual(decisionOf({ subscribe: false, publish: true }), { can: ['publish'] });
  assert.deepEqual(decisionOf({ subscribe: true, presence: true }), { can: ['subscribe', 'presence'] });
  assert.deepEqual(decisionOf({ presence: true }), { can: ['subscribe', 'publish', 'presence'] });
  assert.deepEqual(decisionOf({ presence: false }), { can: ['subscribe', 'publish'] });
  assert.deepEqual(decisionOf({ subscribe: false, presence: true }), { can: ['presence'] });
  assert.throws(() => decisionOf({ presence: 'yes' }), isError('INVALID_ARGUMENT', /true or false/));
});

test('authorize names the properties that it has verified', () => {
  const both = ['subscribe', 'publish'];
  assert.deepEqual(decisionOf({ properties: ['issue', 'issue'] }), { can: both, properties: ['issue'] });
  assert.deepEqual(decisionOf({ properties: [] }), { can: both, properties: [] });
  assert.deepEqual(decisionOf({ properties: ['issue'], publish: false, subscribe: true }), {
    can: ['subscribe'],
    properties: ['issue'],
  });
  assert.throws(
    () => decisionOf({ properties: ['issue'], subscribe: false }),
    isError('PERMISSION_MISSING', /authorize\(\) refused/),
  );
});

test('a decision that grants nothing is a refusal', () => {
  for (const no of [false, {}, { subscribe: false }, { subscribe: false, publish: undefined }]) {
    assert.throws(() => decisionOf(no), isError('PERMISSION_MISSING', /authorize\(\) refused/));
  }
});

test('a malformed decision is an error and grants nothing', () => {
  for (const neither of [
    undefined,
    null,
    1,
    'yes',
    ['subscribe'],
    { subscribe: 'yes' },
    { read: true },
    { properties: 'issue' },
    { properties: [7] },
    { properties: ['an issue'] },
    { properties: { issue: '7' } },
    { constructor: true, subscribe: true },
  ]) {
    assert.throws(() => decisionOf(neither), isError('INVALID_ARGUMENT', /authorize\(\) must return/));
  }
});
