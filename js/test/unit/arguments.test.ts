import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byteLength, checkChannelName, checkEventName } from '../../src/arguments/names.js';
import { checkOptions, checkReplaySeconds, checkToken } from '../../src/arguments/options.js';
import { checkOverrides, refuseOverridesForGlobal } from '../../src/arguments/overrides.js';
import { parsePayload, serialisePayload } from '../../src/arguments/payload.js';
import { Confluence, Jira } from '../../src/context/product-context.js';
import { isError } from '../support/rejects.js';

test('a channel name has 1 to 255 bytes of UTF-8', () => {
  assert.equal(checkChannelName('x'), 'x');
  assert.equal(checkChannelName('é'.repeat(127)), 'é'.repeat(127));
  assert.throws(
    () => checkChannelName('é'.repeat(128)),
    isError('NAME_INVALID', /256 bytes; the limit is 255/),
  );
  assert.throws(() => checkChannelName(''), isError('NAME_INVALID', /empty/));
  assert.throws(
    () => checkChannelName(undefined),
    isError('INVALID_ARGUMENT', /must be a string, not undefined/),
  );
});

test('byteLength() counts the bytes of UTF-8', () => {
  for (const text of [
    '',
    'x',
    'é',
    '€',
    '😀',
    'a😀é',
    '\ud800',
    '\udc00\ud800',
    '\ud800x',
    'x'.repeat(999),
  ]) {
    assert.equal(byteLength(text), new TextEncoder().encode(text).length, JSON.stringify(text));
  }
});

test('an event name is optional and has at most 255 bytes', () => {
  assert.equal(checkEventName(undefined), '');
  assert.equal(checkEventName('added'), 'added');
  assert.throws(() => checkEventName('x'.repeat(256)), isError('NAME_INVALID', /event name has 256 bytes/));
  assert.throws(() => checkEventName(3), isError('INVALID_ARGUMENT', /not number/));
});

test('a payload is a string or a JSON object, and is parsed to an equal value', () => {
  for (const payload of [
    '',
    'text',
    '{"looks":"like JSON"}',
    {},
    { nested: { list: [1, null, '\ud800'] } },
  ]) {
    assert.deepEqual(parsePayload(serialisePayload(payload)), payload);
  }
  for (const [payload, kind] of [
    [7, /number/],
    [null, /null/],
    [undefined, /undefined/],
    [[1], /an array/],
  ] as const) {
    assert.throws(() => serialisePayload(payload), isError('INVALID_ARGUMENT', kind));
  }
});

test('a payload is at most 128 KiB as JSON', () => {
  const quotes = 2;
  assert.equal(serialisePayload('x'.repeat(128 * 1024 - quotes)).length, 128 * 1024);
  assert.throws(
    () => serialisePayload('x'.repeat(128 * 1024)),
    isError('MESSAGE_SIZE', /131074 bytes.*128 KiB/),
  );
  assert.throws(() => serialisePayload({ a: 'é'.repeat(65_536) }), isError('MESSAGE_SIZE', /as JSON/));
});

test('a payload that is not JSON has the error of an unreadable message', () => {
  assert.throws(() => parsePayload('{'), isError('MESSAGE_UNREADABLE', /could not be opened/));
});

test('context overrides are property names without repetition', () => {
  assert.equal(checkOverrides(undefined), undefined);
  assert.deepEqual(checkOverrides([]), []);
  assert.deepEqual(checkOverrides([Jira.Project, 'issue', Jira.Project]), ['project', 'issue']);
});

test('an override that is not a property name is refused, and a whole enum with a hint', () => {
  const refused = (overrides: unknown, message: RegExp) =>
    assert.throws(() => checkOverrides(overrides), isError('INVALID_ARGUMENT', message));
  refused('project', /Invalid value for contextOverrides: string.*array of context properties/);
  refused({ project: 1 }, /an object/);
  refused(null, /null/);
  refused([Confluence], /a whole enum is not a property/);
  refused([''], /""/);
  refused(['no spaces'], /"no spaces", which is not a property/);
  refused(['x'.repeat(65)], /not a property/);
  refused([undefined], /undefined/);
});

test('a global channel accepts no overrides but the empty list', () => {
  refuseOverridesForGlobal(undefined);
  refuseOverridesForGlobal([]);
  assert.throws(
    () => refuseOverridesForGlobal([Jira.Issue]),
    isError('INVALID_ARGUMENT', /no meaning for a global/),
  );
});

test('replaySeconds is a whole number from 0 to 120', () => {
  for (const seconds of [undefined, 0, 1, 120]) assert.equal(checkReplaySeconds(seconds), seconds);
  for (const seconds of [-1, 1.5, NaN, '30', null]) {
    assert.throws(
      () => checkReplaySeconds(seconds),
      isError('INVALID_ARGUMENT', /whole number from 0 to 120/),
    );
  }
  assert.throws(() => checkReplaySeconds(121), isError('REPLAY_TOO_LONG', /at most 120 seconds/));
});

test('a null token is an error and not an absent token', () => {
  assert.equal(checkToken(undefined), undefined);
  assert.equal(checkToken('jwt'), 'jwt');
  for (const token of [null, '', 7, {}]) {
    assert.throws(
      () => checkToken(token),
      isError('INVALID_ARGUMENT', /what signRealtimeToken\(\) returned/),
    );
  }
});

test('options are an object or absent', () => {
  assert.deepEqual(checkOptions(undefined), {});
  assert.throws(() => checkOptions('wasm'), isError('INVALID_ARGUMENT', /must be an object, not string/));
  assert.throws(() => checkOptions([]), isError('INVALID_ARGUMENT', /an array/));
});
