import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime, realtimeWith } from '../../src/browser/realtime.js';
import type { RealtimeOptions } from '../../src/browser/types.js';
import { Jira } from '../../src/context/product-context.js';
import { SealwireError } from '../../src/errors/sealwire-error.js';
import { fakeCore, meta } from '../support/fake-core.js';
import { isError } from '../support/rejects.js';

function page(options: RealtimeOptions = {}) {
  const { sources, clients, loads } = fakeCore();
  const realtime = realtimeWith(options, sources);
  return { realtime, clients, loads };
}

const ignore = () => {};

test('nothing is loaded before the first call, and one client serves every call', async () => {
  const { realtime, clients, loads } = page();
  assert.equal(realtime.core, undefined);
  assert.deepEqual(loads, []);
  await Promise.all([
    realtime.subscribe('a', ignore),
    realtime.publish('b', 'x'),
    realtime.subscribeGlobal('c', ignore),
  ]);
  assert.equal(realtime.core, 'wasm');
  assert.equal(clients.length, 1);
});

test('the default channel has the whole context, overrides keep a part of it, and global channels nothing', async () => {
  const { realtime, clients } = page();
  await realtime.subscribe('n', ignore);
  await realtime.subscribe('n', ignore, { contextOverrides: [Jira.Project] });
  await realtime.subscribe('n', ignore, { contextOverrides: [] });
  await realtime.subscribeGlobal('n', ignore, { token: 'jwt~k.v' });
  const channels = [...clients[0]!.subscriptions.values()].map(({ channel }) => channel);
  assert.deepEqual(channels, [
    { name: 'n' },
    { name: 'n', scope: ['project'] },
    { name: 'n', scope: [] },
    { name: 'n', scope: [], token: 'jwt~k.v' },
  ]);
});

test('replaySeconds reaches the core', async () => {
  const { realtime, clients } = page();
  await realtime.subscribe('n', ignore, { replaySeconds: 30 });
  assert.deepEqual(clients[0]!.subscriptions.get(1)!.options, { replaySeconds: 30 });
});

test('a publication answers with the id and the time as strings, and without errors', async () => {
  const { realtime, clients } = page();
  const result = await realtime.publish('n', { add: 'Ada' }, { eventName: 'added' });
  assert.deepEqual(result, { eventId: '0000000000000001-1', eventTimestamp: '1700000000123' });
  assert.deepEqual(clients[0]!.published, [
    { channel: { name: 'n' }, event: 'added', payload: '{"add":"Ada"}' },
  ]);
  await realtime.publishGlobal('n', 'text');
  assert.deepEqual(clients[0]!.published[1], {
    channel: { name: 'n', scope: [] },
    event: '',
    payload: '"text"',
  });
});

test('a publication that fails is reported in the result', async () => {
  const { realtime, clients } = page();
  await realtime.publish('n', 'first');
  clients[0]!.failure = { code: 'RATE_LIMITED', message: 'Too many publications.', retryAfterMs: 500 };
  assert.deepEqual(await realtime.publish('n', 'second'), {
    eventId: null,
    eventTimestamp: null,
    errors: ['RATE_LIMITED: Too many publications.'],
  });
});

test('a wrong call rejects before anything is loaded', async () => {
  const { realtime, loads } = page();
  const wrong = (call: () => Promise<unknown>, code: string, message: RegExp) =>
    assert.rejects(call(), isError(code, message));
  await wrong(() => realtime.publish('', 'x'), 'NAME_INVALID', /empty/);
  await wrong(() => realtime.publish('n', 7 as never), 'INVALID_ARGUMENT', /payload/);
  await wrong(() => realtime.publish('n', 'x', 'token' as never), 'INVALID_ARGUMENT', /options/);
  await wrong(
    () => realtime.subscribe('n', undefined as never),
    'INVALID_ARGUMENT',
    /callback must be a function/,
  );
  await wrong(() => realtime.subscribe('n', ignore, { replaySeconds: 121 }), 'REPLAY_TOO_LONG', /120/);
  await wrong(() => realtime.subscribe('n', ignore, { token: null as never }), 'INVALID_ARGUMENT', /token/);
  await wrong(
    () => realtime.subscribeGlobal('n', ignore, { contextOverrides: ['issue'] }),
    'INVALID_ARGUMENT',
    /global/,
  );
  assert.deepEqual(loads, []);
});

test('a subscription that the relay refuses rejects with its code', async () => {
  const { realtime, clients } = page();
  await realtime.publish('n', 'x');
  clients[0]!.failure = { code: 'SCOPE_REFUSED', message: 'the session has no property board' };
  await assert.rejects(
    realtime.subscribe('n', ignore),
    isError('SCOPE_REFUSED', /^The session has no property board\.$/),
  );
});

test('a message reaches the callback parsed, with its metadata', async () => {
  const { realtime, clients } = page();
  const calls: unknown[][] = [];
  await realtime.subscribe('n', (...given) => calls.push(given));
  const { onMessage } = clients[0]!.subscriptions.get(1)!;
  onMessage('{"a":1}', meta({ event: 'added', channel: 'n' }));
  onMessage('"text"', meta());
  assert.deepEqual(calls[0], [
    { a: 1 },
    undefined,
    { eventId: '0000000000000001-1', timestamp: 2, publishedAt: 1, channel: 'n', name: 'added' },
  ]);
  assert.equal(calls[1]![0], 'text');
});

test('a gap reaches the callback as an error that says what was missed, and messages continue', async () => {
  const { realtime, clients } = page();
  const calls: unknown[][] = [];
  await realtime.subscribe('n', (payload, error) => calls.push([payload, error]));
  const { onMessage, onNotice } = clients[0]!.subscriptions.get(1)!;
  const gap = {
    from: { epoch: '01', offset: '5' },
    to: { epoch: '02', offset: '1' },
    reason: 'epoch',
  } as const;
  onNotice({ kind: 'gap', ...gap, message: 'Messages were missed: the relay started anew.' });
  onMessage('"next"', meta());
  const [payload, error] = calls[0] as [unknown, SealwireError];
  assert.equal(payload, undefined);
  isError('GAP', /missed/)(error);
  assert.deepEqual(error.gap, gap);
  assert.equal(calls[1]![0], 'next');
});

test('an unreadable message and the end of a subscription reach the callback with their codes', async () => {
  const { realtime, clients } = page();
  const errors: SealwireError[] = [];
  await realtime.subscribe('n', (_payload, error) => errors.push(error!));
  const { onMessage, onNotice } = clients[0]!.subscriptions.get(1)!;
  onNotice({ kind: 'error', code: 'MESSAGE_UNREADABLE', message: 'A message could not be opened.' });
  onMessage('not JSON', meta());
  onNotice({ kind: 'ended', code: 'TOKEN_EXPIRED', message: 'The channel token has expired.' });
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['MESSAGE_UNREADABLE', 'MESSAGE_UNREADABLE', 'TOKEN_EXPIRED'],
  );
});

test('an exception of the callback goes to the page and not to the core', async () => {
  const { realtime, clients } = page();
  const reported: unknown[] = [];
  globalThis.reportError = (error) => reported.push(error);
  try {
    const thrown = new Error('of the app');
    await realtime.subscribe('n', () => {
      throw thrown;
    });
    clients[0]!.subscriptions.get(1)!.onMessage('"x"', meta());
    assert.deepEqual(reported, [thrown]);
  } finally {
    Reflect.deleteProperty(globalThis, 'reportError');
  }
});

test('after unsubscribe nothing is delivered, not even a pending message', async () => {
  const { realtime, clients } = page();
  const payloads: unknown[] = [];
  const subscription = await realtime.subscribe('n', (payload) => payloads.push(payload));
  const { onMessage } = clients[0]!.subscriptions.get(1)!;
  onMessage('"before"', meta());
  const done = subscription.unsubscribe();
  onMessage('"after"', meta());
  await done;
  await subscription.unsubscribe();
  assert.deepEqual(payloads, ['before']);
  assert.equal(clients[0]!.subscriptions.size, 0);
});

test('a channel token is replaced without ending the subscription', async () => {
  const { realtime, clients } = page();
  const subscription = await realtime.subscribe('n', ignore, { token: 'old' });
  await subscription.refreshToken('new');
  assert.deepEqual(clients[0]!.refreshed, [[1, 'new']]);
  await assert.rejects(subscription.refreshToken(''), isError('INVALID_ARGUMENT', /token/));
});

test('close ends the client, and a later call starts another', async () => {
  const states: string[] = [];
  const { realtime, clients } = page({ onState: (state) => states.push(state) });
  await realtime.publish('n', 'x');
  clients[0]!.host.state('connected');
  assert.equal(realtime.state, 'connected');
  realtime.close();
  await Promise.resolve();
  assert.equal(clients[0]!.closed, true);
  clients[0]!.host.state('closed');
  assert.equal(realtime.state, 'closed');
  await realtime.publish('n', 'x');
  assert.equal(clients.length, 2);
  assert.deepEqual(states, ['connected', 'closed']);
});

test('listeners receive every change of the state, with the reason, until they are removed', async () => {
  const { realtime, clients } = page();
  const heard: unknown[][] = [];
  const listener = (...given: unknown[]) => heard.push(given);
  const ends = [realtime.onStateChange(listener), realtime.onStateChange(listener)];
  await realtime.publish('n', 'x');
  clients[0]!.host.state('connected');
  ends[0]!();
  clients[0]!.host.state('reconnecting', { code: 'UNREACHABLE', message: 'the relay is gone' });
  ends[1]!();
  clients[0]!.host.state('connected');
  assert.deepEqual(
    heard.map(([state, error]) => [state, (error as SealwireError)?.code]),
    [
      ['connected', undefined],
      ['connected', undefined],
      ['reconnecting', 'UNREACHABLE'],
    ],
  );
  assert.throws(() => realtime.onStateChange(7 as never), isError('INVALID_ARGUMENT', /listener/));
});

test('a chunk that failed to load is loaded again by the next call', async () => {
  const { sources } = fakeCore();
  let online = false;
  const flaky = {
    ...sources,
    js: () => (online ? sources.js() : Promise.reject(new TypeError('Failed to fetch'))),
  };
  const realtime = realtimeWith({ core: 'js' }, flaky);
  const { errors } = await realtime.publish('n', 'x');
  assert.match(
    errors![0]!,
    /^UNREACHABLE: The js build of the realtime core could not be loaded: Failed to fetch\./,
  );
  online = true;
  assert.equal((await realtime.publish('n', 'x')).errors, undefined);
});

test('the options of createRealtime are checked', () => {
  const wrong = (options: unknown, message: RegExp) =>
    assert.throws(() => createRealtime(options as never), isError('INVALID_ARGUMENT', message));
  wrong({ session: 'https://session' }, /session must be a function/);
  wrong({ core: 'native' }, /'wasm' or 'js'/);
  wrong({ onState: 1 }, /onState must be a function/);
  wrong({ idleCloseMs: -1 }, /idleCloseMs/);
  wrong(7, /options must be an object/);
});
