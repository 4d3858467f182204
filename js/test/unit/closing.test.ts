import assert from 'node:assert/strict';
import { test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import type { Realtime } from '../../src/browser/types.js';
import { fakeCore, meta } from '../support/fake-core.js';
import { grant } from '../support/grant.js';
import { isError } from '../support/rejects.js';

const ignore = () => {};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const isClosed = isError('CLOSED', /was closed/);

/** Returns a promise that stays pending until it is released. */
function gate<T>(value: T): { passed: Promise<T>; release: () => void } {
  let release = (): void => {};
  const passed = new Promise<T>((resolve) => (release = () => resolve(value)));
  return { passed, release };
}

async function closedDuring(call: (realtime: Realtime) => Promise<unknown>, realtime: Realtime) {
  const pending = call(realtime);
  pending.catch(ignore);
  await turn();
  realtime.close();
  assert.equal(realtime.state, 'closed');
  return pending;
}

test('close() closes the core before it returns', async () => {
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({ session: async () => grant }, sources);
  const heard: unknown[] = [];
  await realtime.subscribe('n', (payload, error) => heard.push(error?.code ?? payload));
  const { onMessage, onNotice } = clients[0]!.subscriptions.get(1)!;
  realtime.close();
  assert.equal(clients[0]!.closed, true);
  // These are the rest of a batch.
  onMessage('"late"', meta());
  onNotice({ kind: 'ended', code: 'CLOSED', message: 'closed' });
  assert.deepEqual(heard, []);
});

test('close() in a callback drops the rest of the batch', async () => {
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({ session: async () => grant }, sources);
  const heard: unknown[] = [];
  await realtime.subscribe('n', (payload) => {
    heard.push(payload);
    realtime.close();
  });
  const { onMessage } = clients[0]!.subscriptions.get(1)!;
  for (const payload of ['1', '2', '3']) onMessage(payload, meta());
  assert.deepEqual(heard, [1]);
});

test('a call whose token is being fetched ends with close()', async () => {
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({ session: async () => grant }, sources);
  const { passed, release } = gate('a.b.c');
  const token = () => passed;
  await assert.rejects(
    closedDuring((page) => page.subscribe('n', ignore, { token }), realtime),
    isClosed,
  );
  release();
  await turn();
  assert.deepEqual([clients.length, realtime.state], [0, 'closed']);
  const { errors } = (await realtime.publish('n', 'x')) ?? {};
  assert.equal(errors, undefined, 'a later call starts anew');
});

test('a core that is still loading is not started after close()', async () => {
  const { sources, clients } = fakeCore();
  const { passed, release } = gate(await sources.wasm());
  const load = () => passed;
  const realtime = realtimeWith({ session: async () => grant }, { wasm: load, js: load });
  await assert.rejects(
    closedDuring((page) => page.subscribe('n', ignore), realtime),
    isClosed,
  );
  release();
  await turn();
  assert.equal(clients.length, 0);
});

test('a call that waits for the first session ends with close(), and leaves no timer', async () => {
  const { sources, clients } = fakeCore();
  const { passed, release } = gate(grant);
  const realtime = realtimeWith({ session: () => passed }, sources);
  const before = timers();
  const published = await closedDuring((page) => page.publish('n', 'x', { timeoutMs: 60_000 }), realtime);
  assert.match((published as { errors: string[] }).errors[0]!, /^CLOSED/);
  assert.equal(timers(), before);
  release();
  await turn();
  assert.deepEqual([clients[0]!.closed, clients[0]!.published.length], [true, 0]);
});

test('close() reports the end of a subscription, and ends the reader of a stream at once', async () => {
  const { sources } = fakeCore();
  const realtime = realtimeWith({ session: async () => grant }, sources);
  const told: unknown[] = [];
  const onState = (state: string, error?: { code: string }) => told.push([state, error?.code]);
  const subscription = await realtime.subscribe('n', ignore, { onState });
  const stream = realtime.stream('s');
  await stream.ready;
  const before = timers();
  const next = stream.next();
  realtime.close();
  assert.deepEqual(told, [
    ['subscribed', undefined],
    ['ended', 'CLOSED'],
  ]);
  assert.equal(subscription.state, 'ended');
  await assert.rejects(next, isClosed);
  assert.ok(timers() < before, 'the watch for silence is gone');
  await subscription.unsubscribe();
});

test('a stream that is cancelled before it is confirmed withdraws its subscription', async () => {
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({ session: async () => grant }, sources);
  await realtime.publish('n', 'x');
  const { passed, release } = gate(undefined);
  clients[0]!.answer = passed;
  const stream = realtime.stream('s');
  await turn();
  assert.equal(clients[0]!.subscriptions.size, 1);
  stream.cancel();
  assert.equal(clients[0]!.subscriptions.size, 0);
  release();
  await turn();
});

test('a listener may close the client or call it', async () => {
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({ session: async () => grant }, sources);
  realtime.onStateChange(() => realtime.close());
  await realtime.publish('n', 'x');
  realtime.close();
  realtime.close();
  assert.equal(clients[0]!.closed, true);
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}
