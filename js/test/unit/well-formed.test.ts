// Text that UTF-8 cannot carry is refused in every name and identifier.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { checkChannelName, checkEventName } from '../../src/arguments/names.js';
import { isWellFormed } from '../../src/arguments/well-formed.js';
import { realtimeWith } from '../../src/browser/realtime.js';
import { fakeCore } from '../support/fake-core.js';
import { context, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const ILL_FORMED = ['\ud800', '\udc00', 'a\ud83d', '\ude00a', '\ude00\ud83d', '\ud800\ud800\udc00'];
const WELL_FORMED = ['', 'a', '😀', '\ufffd', '\uffff', '\u{10ffff}', 'e\u0301', '\u00e9'];

test('halves of surrogate pairs are distinguished from pairs', () => {
  for (const text of ILL_FORMED) assert.equal(isWellFormed(text), false, JSON.stringify(text));
  for (const text of WELL_FORMED) assert.equal(isWellFormed(text), true, JSON.stringify(text));
});

test('three names that UTF-8 would make one are refused, as channels and as events', async () => {
  const { sources, clients } = fakeCore();
  const page = realtimeWith({}, sources);
  for (const name of ['\ud800', '\ud801', '\udc00']) {
    assert.deepEqual(new TextEncoder().encode(name), new TextEncoder().encode('\ufffd'));
    assert.throws(
      () => checkChannelName(name),
      isError('NAME_INVALID', /channel name is not well-formed Unicode/),
    );
    assert.throws(
      () => checkEventName(name),
      isError('NAME_INVALID', /event name is not well-formed Unicode/),
    );
    for (const attempt of [
      page.subscribe(name, () => {}),
      page.subscribeGlobal(name, () => {}),
      page.publish(name, 'x'),
      page.publishGlobal('n', 'x', { eventName: name }),
    ]) {
      await assert.rejects(attempt, isError('NAME_INVALID', /not well-formed/));
    }
  }
  assert.equal(clients.length, 0);
  assert.equal(checkChannelName('\ufffd'), '\ufffd');
});

test('composed and decomposed forms of a name are different names', () => {
  assert.notEqual(checkChannelName('\u00e9'), checkChannelName('e\u0301'));
});

test('claims, accounts, properties and installations are refused in a resolver', async () => {
  const realtime = createRealtime({ authorize: () => true, ...settings });
  const within = { context };
  for (const bad of ILL_FORMED) {
    for (const claims of [{ a: bad }, { [bad]: 1 }, { a: [{ b: bad }] }, { a: { [bad]: {} } }]) {
      await assert.rejects(
        realtime.signRealtimeToken('n', claims, undefined, within),
        isError('INVALID_ARGUMENT', /^claims\S* is not well-formed/),
      );
    }
    for (const [attempt, message] of [
      [() => realtime.disconnect({ accountId: bad }, within), /accountId is not well-formed/],
      [() => realtime.disconnect({ properties: { issue: bad } }, within), /'issue' is not well-formed/],
      [
        () => realtime.publishGlobal('n', 'x', { context: { ...context, installContext: bad } }),
        /not well-formed/,
      ],
      [() => realtime.publish('n', 'x', { ...within, scope: { issue: bad } }), /'issue' is not well-formed/],
    ] as const) {
      await assert.rejects(attempt(), isError('INVALID_ARGUMENT', message));
    }
    await assert.rejects(
      realtime.publish(bad, 'x', within),
      isError('NAME_INVALID', /channel name is not well-formed/),
    );
  }
});
