// The option onResumed: when it is called, with what, and in which order relative to states, gaps and messages.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import type { SubscriptionOptions } from '../../src/browser/subscription-types.js';
import { createTestRelay } from '../../src/testing.js';
import { fakeCore } from '../support/fake-core.js';
import { isError } from '../support/rejects.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Returns options whose listeners write everything that they receive into a list, and the list. */
function recording() {
  const heard: string[] = [];
  const options: SubscriptionOptions = {
    onState: (state) => heard.push(state),
    onGap: (error) => heard.push(`${error.code} ${error.gap?.reason}`),
    onError: (error) => heard.push(error.code),
    onResumed: ({ recovered }) => heard.push(`resumed, recovered: ${recovered}`),
  };
  return { heard, options, callback: (payload: string) => heard.push(payload) };
}

test('a resume reaches onResumed once, and no other function', async () => {
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({}, sources);
  const { heard, options, callback } = recording();
  const subscription = await realtime.subscribe('n', callback, options);
  const { onNotice } = clients[0]!.subscriptions.get(1)!;
  for (const kind of ['recovered', 'not-recovered'] as const) onNotice({ kind });
  assert.deepEqual(heard, ['subscribed', 'resumed, recovered: true', 'resumed, recovered: false']);
  await subscription.unsubscribe();
  onNotice({ kind: 'recovered' });
  assert.equal(heard.at(-1), 'ended', 'nothing is reported after the end');
});

test('without onResumed, a resume is neither an error nor a warning', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const { sources, clients } = fakeCore();
  const heard: unknown[] = [];
  await realtimeWith({}, sources).subscribe('n', (payload, error) => heard.push(payload, error));
  clients[0]!.subscriptions.get(1)!.onNotice({ kind: 'not-recovered' });
  assert.deepEqual(heard, []);
  assert.equal(warn.mock.callCount(), 0);
});

test('an exception of onResumed goes to the page, and the next message is delivered', async () => {
  const relay = createTestRelay();
  const [page, publisher] = [relay.realtime(), relay.realtime()];
  const reported: unknown[] = [];
  const { reportError } = globalThis as { reportError?: unknown };
  Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
  try {
    const heard: unknown[] = [];
    const failure = new Error('of the app');
    await page.subscribe('n', (payload) => heard.push(payload), {
      onResumed: () => {
        throw failure;
      },
    });
    relay.cut(page);
    await publisher.publish('n', 'missed');
    relay.mend(page);
    await relay.settled();
    assert.deepEqual([reported, heard], [[failure], ['missed']]);
  } finally {
    Object.assign(globalThis, { reportError });
  }
});

test('onResumed must be a function', async () => {
  const page = createTestRelay().realtime();
  await assert.rejects(
    page.subscribe('n', () => {}, { onResumed: true as never }),
    isError('INVALID_ARGUMENT', /The option onResumed must be a function, not boolean/),
  );
});

test('after a short loss, the state comes first, then the resume, then the missed messages', async () => {
  const relay = createTestRelay();
  const [page, publisher] = [relay.realtime(), relay.realtime()];
  const { heard, options, callback } = recording();
  await page.subscribe('n', callback, options);
  await publisher.publish('n', 'before');
  await relay.settled();
  relay.cut(page);
  await publisher.publish('n', 'missed');
  relay.mend(page);
  await relay.settled();
  await publisher.publish('n', 'after');
  await relay.settled();
  assert.deepEqual(heard, [
    'subscribed',
    'before',
    'resuming',
    'subscribed',
    'resumed, recovered: true',
    'missed',
    'after',
  ]);
});

test('after a loss that the relay cannot bridge, the gap precedes the resume', async () => {
  for (const [lose, reason] of [
    ['forget', 'evicted'],
    ['restart', 'epoch'],
  ] as const) {
    const relay = createTestRelay();
    const [page, publisher] = [relay.realtime(), relay.realtime()];
    const { heard, options, callback } = recording();
    await page.subscribe('n', callback, options);
    relay.cut(page);
    await publisher.publish('n', 'missed');
    if (lose === 'forget') relay.forget();
    else relay.restart();
    relay.mend(page);
    await relay.settled();
    await publisher.publish('n', 'after');
    await relay.settled();
    const expected = ['subscribed', 'resuming', 'subscribed', `GAP ${reason}`, 'resumed, recovered: false'];
    assert.deepEqual(heard, [...expected, 'after']);
  }
});

test('a subscription that begins with a replay, or while the page is cut off, is not resumed', async () => {
  const relay = createTestRelay();
  const [page, publisher] = [relay.realtime(), relay.realtime()];
  await page.subscribe('other', () => {});
  await publisher.publish('n', 'earlier');
  const { heard, options, callback } = recording();
  await page.subscribe('n', callback, { ...options, replaySeconds: 60 });
  await relay.settled();
  // The relay is younger than the replay, so it cannot prove that the replay is complete.
  assert.deepEqual(heard, ['subscribed', 'GAP evicted', 'earlier']);
  relay.cut(page);
  const late = recording();
  const subscribing = page.subscribe('late', late.callback, late.options);
  await turn();
  relay.mend(page);
  await subscribing;
  await relay.settled();
  assert.deepEqual(late.heard, ['subscribed']);
  assert.deepEqual(heard.slice(3), ['resuming', 'subscribed', 'resumed, recovered: true']);
});
