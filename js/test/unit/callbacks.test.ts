// The app's functions for a subscription: the callback and the listeners for errors.

import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import type { SubscriptionOptions } from '../../src/browser/subscription-types.js';
import type { Callback } from '../../src/browser/types.js';
import type { Notice } from '../../src/core/browser-core.js';
import { createTestRelay } from '../../src/testing.js';
import { fakeCore, meta } from '../support/fake-core.js';
import { isError } from '../support/rejects.js';

const position = { epoch: 'e', offset: '1' };
const GAP = {
  kind: 'gap',
  from: position,
  to: position,
  reason: 'evicted',
  message: 'missed',
} as unknown as Notice;
const ENDED = { kind: 'ended', code: 'TOKEN_EXPIRED', message: 'the token has expired' } as unknown as Notice;

/** Subscribes, and delivers a message, two gaps, a message that is not JSON, and the end. Returns the warnings. */
async function warningsOf(t: TestContext, callback: Callback<any>, options: SubscriptionOptions = {}) {
  const warn = t.mock.method(console, 'warn', () => {});
  const { sources, clients } = fakeCore();
  await realtimeWith({}, sources).subscribe('n', callback, options);
  const subscription = clients[0]!.subscriptions.get(1)!;
  subscription.onMessage('"hello"', meta());
  subscription.onNotice(GAP);
  subscription.onNotice(GAP);
  subscription.onMessage('{', meta());
  subscription.onNotice(ENDED);
  return warn.mock.calls.map(({ arguments: [text] }) => String(text));
}

const ERRORS = ['GAP', 'GAP', 'MESSAGE_UNREADABLE', 'TOKEN_EXPIRED'];

test('a callback with one parameter receives messages only, and the console shows each code once', async (t) => {
  for (const make of [
    (received: unknown[]) => (payload: unknown) => received.push(payload),
    (received: unknown[]) =>
      (...all: unknown[]) =>
        received.push(all[0]),
    (received: unknown[]) =>
      (payload: unknown, _error: unknown = undefined) =>
        received.push(payload),
    (received: unknown[]) => mock.fn((payload: unknown) => received.push(payload)),
  ]) {
    const received: unknown[] = [];
    const warnings = await warningsOf(t, make(received) as Callback<any>);
    assert.deepEqual(received, ['hello']);
    assert.deepEqual(
      warnings.map(
        (text) => /^sealwire: (\w+) on the channel 'n', .*Pass the option onError/.exec(text)?.[1],
      ),
      ['GAP', 'MESSAGE_UNREADABLE', 'TOKEN_EXPIRED'],
    );
    t.mock.restoreAll();
  }
});

test('a callback with two parameters receives undefined and the error', async (t) => {
  const received: unknown[] = [];
  const warnings = await warningsOf(t, (payload, error) =>
    received.push(error ? [payload, error.code] : payload),
  );
  assert.deepEqual(received, ['hello', ...ERRORS.map((code) => [undefined, code])]);
  assert.deepEqual(warnings, []);
});

test('the option onError receives every error in place of the callback', async (t) => {
  const received: unknown[] = [];
  const errors: string[] = [];
  const callback: Callback<any> = (payload, _error) => received.push(payload);
  const warnings = await warningsOf(t, callback, { onError: ({ code }) => errors.push(code) });
  assert.deepEqual([received, errors, warnings], [['hello'], ERRORS, []]);
});

test('the option onGap receives gaps only, and onError, the callback or the console the other errors', async (t) => {
  const gaps: string[] = [];
  const onGap: SubscriptionOptions['onGap'] = ({ code, gap }) => gaps.push(`${code} ${gap?.reason}`);
  const expected = ['GAP evicted', 'GAP evicted'];

  const errors: string[] = [];
  await warningsOf(t, () => {}, { onGap, onError: ({ code }) => errors.push(code) });
  assert.deepEqual([gaps.splice(0), errors], [expected, ['MESSAGE_UNREADABLE', 'TOKEN_EXPIRED']]);

  const received: unknown[] = [];
  t.mock.restoreAll();
  await warningsOf(t, (payload, error) => received.push(error?.code ?? payload), { onGap });
  assert.deepEqual([gaps.splice(0), received], [expected, ['hello', 'MESSAGE_UNREADABLE', 'TOKEN_EXPIRED']]);

  t.mock.restoreAll();
  const warnings = await warningsOf(t, (_payload) => {}, { onGap });
  assert.deepEqual([gaps, warnings.length], [expected, 2]);
});

test('a listener that is not a function is refused', async () => {
  const { sources } = fakeCore();
  const realtime = realtimeWith({}, sources);
  for (const name of ['onError', 'onGap']) {
    const wrong = realtime.subscribe('n', () => {}, { [name]: 'log' } as never);
    await assert.rejects(
      wrong,
      isError('INVALID_ARGUMENT', new RegExp(`The option ${name} must be a function`)),
    );
  }
});

test('pages of the test relay follow the same rules', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const relay = createTestRelay();
  const page = relay.realtime();
  const received: unknown[] = [];
  const errors: string[] = [];
  await page.subscribe('n', (payload) => received.push(payload));
  await page.subscribe('n', (payload) => received.push(payload), {
    onError: ({ code }) => errors.push(code),
  });
  relay.restart();
  await relay.settled();
  await page.publish('n', 'one');
  await relay.settled();
  assert.deepEqual([received, errors, warn.mock.callCount()], [['one', 'one'], ['GAP'], 1]);
});
