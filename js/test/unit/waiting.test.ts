import assert from 'node:assert/strict';
import { test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import type { RealtimeOptions } from '../../src/browser/types.js';
import type { SealwireError } from '../../src/errors/sealwire-error.js';
import { fakeCore, meta } from '../support/fake-core.js';
import { grant } from '../support/grant.js';
import { isError } from '../support/rejects.js';

const ignore = () => {};
const never = new Promise<never>(() => {});
const turn = () => new Promise((resolve) => setImmediate(resolve));

function page(options: RealtimeOptions = {}) {
  const { sources, clients } = fakeCore();
  return { realtime: realtimeWith({ session: async () => grant, ...options }, sources), clients };
}

test('a publish waits two minutes and a subscribe without end, unless the app sets a limit', async () => {
  const { realtime, clients } = page();
  await realtime.publish('n', 'x');
  await realtime.subscribe('n', ignore);
  assert.equal(clients[0]!.subscriptions.get(1)!.options.timeoutMs, undefined);
  const within = (milliseconds: number | undefined, most: number) =>
    assert.ok(milliseconds! > most - 5_000 && milliseconds! <= most, String(milliseconds));
  within(clients[0]!.calls[0]!.timeoutMs, 120_000);
  await realtime.publish('n', 'x', { timeoutMs: 60_000 });
  within(clients[0]!.calls[1]!.timeoutMs, 60_000);
  for (const options of [{ timeoutMs: 30_000, requestTimeoutMs: 1 }, { requestTimeoutMs: 30_000 }]) {
    const limited = page(options);
    await limited.realtime.publish('n', 'x');
    await limited.realtime.subscribe('n', ignore);
    within(limited.clients[0]!.calls[0]!.timeoutMs, 30_000);
    within(limited.clients[0]!.subscriptions.get(1)!.options.timeoutMs, 30_000);
  }
});

test('errors for limits, signals and ids name the option', async () => {
  const { realtime } = page();
  const wrong = [
    [{ timeoutMs: -1 }, /timeoutMs must be a number of milliseconds from 0 to 86400000/],
    [{ timeoutMs: Infinity }, /timeoutMs must be/],
    [{ timeoutMs: '5' }, /timeoutMs must be/],
    [{ signal: {} }, /signal must be an AbortSignal, not an object/],
    [{ signal: null }, /signal must be an AbortSignal, not null/],
  ] as const;
  for (const [options, message] of wrong) {
    const check = isError('INVALID_ARGUMENT', message);
    await assert.rejects(realtime.publish('n', 'x', options as never), check);
    await assert.rejects(realtime.subscribe('n', ignore, options as never), check);
  }
  for (const [idempotencyId, message] of [
    [7, /idempotencyId must be a string, not number/],
    ['', /idempotencyId has 0 bytes; it must have 1 to 255/],
    ['é'.repeat(128), /has 256 bytes/],
    ['\ud800', /well-formed/],
  ] as const) {
    const options = { idempotencyId: idempotencyId as never };
    await assert.rejects(realtime.publish('n', 'x', options), isError('INVALID_ARGUMENT', message));
  }
  await assert.rejects(
    realtime.subscribe('n', ignore, { onState: 1 as never }),
    isError('INVALID_ARGUMENT', /option onState must be a function/),
  );
});

test('the error at the time limit names the slow side: the token function or the core', async () => {
  const { realtime } = page();
  const options = { timeoutMs: 5, token: () => never };
  const slow = /^SESSION_UNAVAILABLE: The token function has not answered in time/;
  assert.match((await realtime.publish('n', 'x', options)).errors![0]!, slow);
  await assert.rejects(
    realtime.subscribe('n', ignore, options),
    isError('SESSION_UNAVAILABLE', /token function has not answered in time/),
  );
  const loading = realtimeWith({ session: async () => grant }, { wasm: () => never, js: () => never });
  const { errors, mayHaveArrived } = await loading.publish('n', 'x', { timeoutMs: 5 });
  assert.match(errors![0]!, /^UNREACHABLE: The script of the core has not loaded in time/);
  assert.equal(mayHaveArrived, false);
});

test('a call does not wait for a session that an earlier call has waited for in vain', async () => {
  const { realtime, clients } = page({ session: () => never });
  await realtime.publish('n', 'x', { timeoutMs: 5 });
  await realtime.publish('n', 'y', { timeoutMs: 60_000 });
  assert.equal(clients[0]!.published.length, 2);
  assert.ok(clients[0]!.calls[1]!.timeoutMs! > 50_000);
});

test('a failed publication says whether the message may have arrived', async () => {
  const { realtime, clients } = page();
  await realtime.publish('n', 'x');
  clients[0]!.failure = { code: 'UNREACHABLE', message: 'no answer', mayHaveArrived: true };
  assert.equal((await realtime.publish('n', 'x')).mayHaveArrived, true);
  clients[0]!.failure = { code: 'PERMISSION_MISSING', message: 'no' };
  assert.equal((await realtime.publish('n', 'x')).mayHaveArrived, undefined);
});

test('an idempotency id goes to the core', async () => {
  const { realtime, clients } = page();
  await realtime.publish('n', 'x', { idempotencyId: 'note-7' });
  assert.equal(clients[0]!.calls[0]!.idempotencyId, 'note-7');
});

test('a signal withdraws a subscribe at every stage', async () => {
  const { realtime, clients } = page();
  const reason = new Error('left the page');
  const early = AbortSignal.abort(reason);
  await assert.rejects(realtime.subscribe('n', ignore, { signal: early }), (thrown) => thrown === reason);
  const fetching = new AbortController();
  const waiting = realtime.subscribe('n', ignore, { signal: fetching.signal, token: () => never });
  await turn();
  fetching.abort(reason);
  await assert.rejects(waiting, (thrown) => thrown === reason);

  await realtime.publish('n', 'x');
  let answer = (): void => {};
  clients[0]!.answer = new Promise<void>((resolve) => (answer = resolve));
  const confirming = new AbortController();
  const heard: unknown[] = [];
  const subscribing = realtime.subscribe('n', (payload) => heard.push(payload), {
    signal: confirming.signal,
  });
  await turn();
  assert.equal(clients[0]!.subscriptions.size, 1);
  confirming.abort(reason);
  assert.equal(clients[0]!.subscriptions.size, 0, 'the core drops it at once');
  answer();
  await assert.rejects(subscribing, (thrown) => thrown === reason);
  assert.deepEqual(heard, []);
});

test('a signal ends a publish, which says whether the message may have arrived', async () => {
  const { realtime, clients } = page();
  const signal = AbortSignal.abort();
  const early = await realtime.publish('n', 'x', { signal });
  assert.match(early.errors![0]!, /^ABORTED: The app's signal ended the call; the message was not sent\.$/);
  assert.equal(early.mayHaveArrived, false);

  await realtime.publish('n', 'x');
  let fail = (_: unknown): void => {};
  clients[0]!.answer = new Promise((_, reject) => (fail = reject));
  const controller = new AbortController();
  const publishing = realtime.publish('n', 'y', { signal: controller.signal });
  await turn();
  controller.abort();
  assert.deepEqual(clients[0]!.withdrawn, [2]);
  fail({ code: 'UNREACHABLE', message: 'ended', mayHaveArrived: true });
  const { errors, mayHaveArrived } = await publishing;
  assert.match(errors![0]!, /^ABORTED: .*the message may have arrived\.$/);
  assert.equal(mayHaveArrived, true);
});

test('a subscription reports its state', async () => {
  const { realtime, clients } = page();
  const told: [string, string | undefined][] = [];
  const onState = (state: string, error?: SealwireError) => told.push([state, error?.code]);
  const subscription = await realtime.subscribe('n', ignore, { onState });
  assert.equal(subscription.state, 'subscribed');
  const { onNotice } = clients[0]!.subscriptions.get(1)!;
  onNotice({ kind: 'state', state: 'subscribed' });
  onNotice({ kind: 'state', state: 'resuming' });
  assert.equal(subscription.state, 'resuming');
  onNotice({ kind: 'state', state: 'subscribed' });
  onNotice({ kind: 'ended', code: 'TOKEN_EXPIRED', message: 'over' });
  assert.equal(subscription.state, 'ended');
  assert.deepEqual(told, [
    ['subscribed', undefined],
    ['resuming', undefined],
    ['subscribed', undefined],
    ['ended', 'TOKEN_EXPIRED'],
  ]);
});

test('the app’s functions may call the package', async () => {
  for (const where of ['onDebug', 'session', 'token', 'onState'] as const) {
    const { sources } = fakeCore();
    let asked = 0;
    let tokens = 0;
    let nested = 0;
    const call = () => {
      if ((nested += 1) < 1_000) void realtime.publish('n', 'nested', where === 'token' ? { token } : {});
    };
    const token = () => {
      tokens += 1;
      if (where === 'token') call();
      return 'a.b.c';
    };
    const realtime = realtimeWith(
      {
        session: async () => {
          asked += 1;
          if (where === 'session') call();
          return grant;
        },
        ...(where === 'onDebug' && { onDebug: call }),
        ...(where === 'onState' && { onState: call }),
      },
      sources,
    );
    const { errors } = await realtime.publish('n', 'x', { token });
    assert.deepEqual([where, errors, asked], [where, undefined, 1]);
    assert.ok(tokens <= 2 && nested < 100, `${where}: ${tokens} tokens, ${nested} nested calls`);
    realtime.close();
  }
});

test('a signal that aborts after the call has no effect on its result', async () => {
  const { realtime, clients } = page();
  const controller = new AbortController();
  const { signal } = controller;
  const heard: unknown[] = [];
  const subscription = await realtime.subscribe('n', (payload) => heard.push(payload), { signal });
  const published = await realtime.publish('n', 'x', { signal });
  controller.abort();
  assert.equal(published.errors, undefined);
  assert.equal(subscription.state, 'subscribed');
  assert.deepEqual(clients[0]!.withdrawn, []);
  clients[0]!.subscriptions.get(1)!.onMessage('"still"', meta());
  assert.deepEqual(heard, ['still']);
});
