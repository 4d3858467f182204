import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { SealwireError, type SubscriptionOptions } from '../../src/index.js';
import { StrictModeSubscription } from '../../src/react/strict-mode-subscription.js';
import type { ChannelState } from '../../src/react/types.js';
import { createTestRelay } from '../../src/testing.js';

function setUp(options: SubscriptionOptions = {}, requestTimeoutMs = 10_000) {
  const relay = createTestRelay();
  const realtime = relay.realtime({ requestTimeoutMs });
  const heard: unknown[] = [];
  const states: ChannelState[] = [];
  let subscriptions = 0;
  const counted = {
    ...realtime,
    subscribe: ((...given: Parameters<typeof realtime.subscribe>) => {
      subscriptions += 1;
      return realtime.subscribe(...given);
    }) as typeof realtime.subscribe,
  };
  const target = { realtime: counted, channel: 'n', global: false, key: 'n' };
  const current = { options };
  const subscription = new StrictModeSubscription(
    target,
    () => current.options,
    (payload, error) => heard.push(error ? error.code : payload),
  );
  const hold = () => subscription.hold((state) => states.push(state));
  return { relay, realtime, subscription, target, current, hold, heard, states, made: () => subscriptions };
}

test('a subscription that is released and held again in one go is made once and stays', async () => {
  const { relay, realtime, subscription, target, hold, heard, made } = setUp();
  hold();
  subscription.release();
  hold();
  await sleep(0);
  await relay.settled();
  subscription.release();
  hold();
  await realtime.publish('n', 'one');
  await relay.settled();
  assert.deepEqual(heard, ['one']);
  assert.equal(made(), 1);
  assert.equal(subscription.serves(target), true);
});

test('a released subscription ends, even if it is not confirmed yet', async () => {
  const { relay, realtime, subscription, target, hold, heard, states } = setUp();
  hold();
  await Promise.resolve();
  subscription.release();
  await relay.settled();
  await realtime.publish('n', 'one');
  await relay.settled();
  assert.deepEqual([heard, states], [[], []]);
  assert.equal(subscription.serves(target), false);
});

test('a retryable failure is retried, and its error is shown meanwhile', async () => {
  const { relay, hold, states, made } = setUp({}, 30);
  relay.cut();
  hold();
  await sleep(100);
  assert.deepEqual(
    states.map(({ status, error }) => [status, error?.code]),
    [['subscribing', 'UNREACHABLE']],
  );
  relay.mend();
  for (let waited = 0; states.at(-1)!.status !== 'subscribed' && waited < 3_000; waited += 20)
    await sleep(20);
  assert.equal(states.at(-1)!.status, 'subscribed');
  assert.equal(made(), 2);
});

test('attempts leave no listener on the signal of the app behind', async () => {
  const { signal } = new AbortController();
  const { relay, subscription, hold, states, made } = setUp({ signal }, 30);
  relay.cut();
  hold();
  await sleep(100);
  relay.mend();
  for (let waited = 0; states.at(-1)?.status !== 'subscribed' && waited < 3_000; waited += 20)
    await sleep(20);
  assert.equal(made(), 2);
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  subscription.release();
  await relay.settled();
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a subscription that ended starts again with a new token', async () => {
  const { relay, subscription, current, hold, heard, states } = setUp();
  const context = { installContext: 'ari:cloud:jira::site/test', moduleKey: 'test-module' };
  const sign = async () => {
    const { token } = await relay.resolver().signRealtimeToken('n', { a: 1 }, undefined, { context });
    return token!;
  };
  current.options = { token: await sign() };
  hold();
  await sleep(0);
  await relay.settled();
  relay.expire();
  assert.deepEqual(heard, ['TOKEN_EXPIRED']);
  current.options = { token: await sign() };
  subscription.renew(current.options.token);
  await relay.settled();
  assert.deepEqual(
    states.map(({ status }) => status),
    ['subscribed', 'ended', 'subscribing', 'subscribed'],
  );
});

test('closing the connection ends the subscription, and a new token does not start it again', async () => {
  const { relay, realtime, subscription, current, hold, states, made } = setUp();
  hold();
  await sleep(0);
  await relay.settled();
  realtime.close();
  assert.deepEqual(
    states.map(({ status, error }) => [status, error?.code]),
    [
      ['subscribed', undefined],
      ['ended', 'CLOSED'],
    ],
  );
  current.options = { token: 'another' };
  subscription.renew('another');
  await relay.settled();
  assert.equal(made(), 1);
});

test('a subscription that is not confirmed when the connection is closed ends too', async () => {
  const { relay, realtime, hold, states, made } = setUp();
  relay.cut();
  hold();
  await sleep(0);
  realtime.close();
  relay.mend();
  await relay.settled();
  assert.deepEqual(
    states.map(({ status, error }) => [status, error?.code]),
    [['ended', 'CLOSED']],
  );
  assert.equal(made(), 1);
});

test('a failed renewal is retried, and the subscription stays', async () => {
  const { relay, subscription, target, current, hold, states, made } = setUp();
  const shown: string[] = [];
  const { subscribe } = target.realtime;
  target.realtime.subscribe = (async (...given: Parameters<typeof subscribe>) => ({
    ...(await subscribe(...given)),
    refreshToken: async (token: string) => {
      shown.push(token);
      if (shown.length < 3) throw new SealwireError('UNREACHABLE', 'No answer.', { retryAfterMs: 1 });
    },
  })) as typeof subscribe;
  hold();
  await sleep(0);
  await relay.settled();
  current.options = { token: 'another' };
  subscription.renew('another');
  for (let waited = 0; shown.length < 3 && waited < 3_000; waited += 5) await sleep(5);
  assert.deepEqual(shown, ['another', 'another', 'another']);
  assert.equal(made(), 1);
  assert.deepEqual(
    states.map(({ status }) => status),
    ['subscribed'],
  );
});

test('a released subscription that is not confirmed is withdrawn', async () => {
  const { relay, subscription, target, hold } = setUp();
  const signals: AbortSignal[] = [];
  const { subscribe } = target.realtime;
  target.realtime.subscribe = ((...given: Parameters<typeof subscribe>) => {
    signals.push(given[2]!.signal!);
    return subscribe(...given);
  }) as typeof subscribe;
  relay.cut();
  hold();
  await sleep(0);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false],
  );
  subscription.release();
  await sleep(0);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  );
});

test('a subscription that the app aborts has failed and is not retried', async () => {
  const controller = new AbortController();
  const { relay, hold, states, made } = setUp({ signal: controller.signal });
  relay.cut();
  hold();
  await sleep(0);
  controller.abort();
  await sleep(0);
  assert.deepEqual(
    states.map(({ status, error }) => [status, error?.code]),
    [['failed', 'ABORTED']],
  );
  relay.mend();
  await sleep(1_100);
  assert.equal(made(), 1);
});
