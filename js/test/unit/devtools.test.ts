// The model of sealwire/devtools: the records of a client, their limits, and the texts of the panel. tests/e2e has the element.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connections } from '../../src/browser/observation.js';
import { realtimeWith } from '../../src/browser/realtime.js';
import type { RealtimeOptions } from '../../src/browser/types.js';
import { showDevtools } from '../../src/devtools.js';
import { matches } from '../../src/devtools/filter.js';
import { LIMITS, Recorder } from '../../src/devtools/recorder.js';
import { MAX_PAYLOAD, preview, prettyPayload, scopeText } from '../../src/devtools/text.js';
import { fakeCore, meta } from '../support/fake-core.js';
import { isError } from '../support/rejects.js';

const ignore = () => {};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const grant = {
  url: 'wss://relay.example/v1/realtime',
  token: 'the session token',
  issuedAtMs: 1_700_000_000_000,
  expiresAt: 1_700_000_900,
  app: 'app',
  installation: 'ari:cloud:jira::site/1',
  context: { dashboard: '10001', gadget: '7' },
  keys: [{ id: 'AAAAAA', scopes: 'the key material', signer: '' }],
};

function observed(options: RealtimeOptions = { session: async () => grant }) {
  const core = fakeCore();
  const realtime = realtimeWith(options, core.sources);
  let changes = 0;
  const recorder = new Recorder(connections.get(realtime)!, () => (changes += 1));
  return { realtime, recorder, clients: core.clients, changes: () => changes };
}

test('a subscription is recorded from its call to its end, with its messages and its position', async () => {
  const { realtime, recorder, clients } = observed();
  recorder.start();
  const pending = realtime.subscribe('notes', ignore, { replaySeconds: 30, contextOverrides: ['dashboard'] });
  const [record] = recorder.subscriptions;
  assert.equal(record!.subscription.state.current, 'subscribing');
  const subscription = await pending;
  assert.equal(record!.subscription.state.current, 'subscribed');
  assert.deepEqual(record!.subscription.named.spec, { name: 'notes', scope: ['dashboard'] });
  assert.equal(record!.subscription.replaySeconds, 30);
  const { onMessage } = clients[0]!.subscriptions.get(1)!;
  onMessage('{"n":1}', meta({ eventId: '00000000000000aa-7', channel: 'notes', event: 'added' }));
  assert.deepEqual(record!.position, { epoch: '00000000000000aa', offset: '7' });
  const [message] = recorder.messages.entries;
  assert.deepEqual(
    [message!.channel, message!.event, message!.text, message!.offset, message!.number],
    ['notes', 'added', '{"n":1}', '7', 1],
  );
  await subscription.unsubscribe();
  assert.equal(record!.subscription.state.current, 'ended');
});

test('subscriptions, session and error of the time before the start are known at the start', async () => {
  const { realtime, recorder, clients } = observed();
  await realtime.subscribe('notes', ignore);
  clients[0]!.host.state('reconnecting', { code: 'SHUTTING_DOWN', message: 'the relay shuts down' });
  recorder.start();
  assert.equal(recorder.subscriptions[0]!.subscription.named.spec.name, 'notes');
  assert.equal(recorder.problem!.code, 'SHUTTING_DOWN');
  assert.deepEqual(recorder.connection.session, { expiresAt: 1_700_000_900, context: grant.context });
});

test('a gap is counted with its reason, and moves the position', async () => {
  const { realtime, recorder, clients } = observed();
  recorder.start();
  await realtime.subscribe('notes', ignore, { onGap: ignore });
  const to = { epoch: '00000000000000bb', offset: '9' };
  const gap = { kind: 'gap', from: null, to, reason: 'epoch', message: 'messages were missed' } as const;
  clients[0]!.subscriptions.get(1)!.onNotice(gap);
  const [record] = recorder.subscriptions;
  assert.deepEqual([record!.gaps, record!.gapReason, record!.position], [1, 'epoch', to]);
  const [entry] = recorder.messages.entries;
  assert.equal(entry!.code, 'GAP');
  assert.match(entry!.text, /epoch, from the start to 9/);
  assert.equal(recorder.problem!.source, 'subscription #1 of notes');
});

test('a publication is recorded while it is pending, and with its outcome', async () => {
  const { realtime, recorder, clients } = observed();
  recorder.start();
  const published = realtime.publish('notes', { text: 'hello' }, { eventName: 'added' });
  const [pending] = recorder.publications.entries;
  assert.equal(pending!.tookMs, undefined);
  await published;
  await turn();
  assert.deepEqual([pending!.event, pending!.text, pending!.offset], ['added', '{"text":"hello"}', '1']);
  assert.equal(typeof pending!.tookMs, 'number');
  clients[0]!.failure = { code: 'RATE_LIMITED', message: 'too many publications' };
  await realtime.publish('notes', 'again');
  await turn();
  assert.match(recorder.publications.entries[1]!.error!, /^RATE_LIMITED: Too many publications/);
  assert.deepEqual(
    [recorder.problem!.code, recorder.problem!.message, recorder.problem!.source],
    ['RATE_LIMITED', 'Too many publications.', 'publication to notes'],
  );
});

test('a failed subscribe ends with its error, and the records of ended subscriptions are bounded', async () => {
  const { realtime, recorder, clients } = observed();
  recorder.start();
  await realtime.publish('warm', 'up');
  for (let n = 0; n < LIMITS.ended + 5; n += 1) {
    clients[0]!.failure = { code: 'SCOPE_REFUSED', message: `refusal ${n}` };
    await assert.rejects(realtime.subscribe('notes', ignore));
  }
  assert.equal(recorder.subscriptions.length, LIMITS.ended);
  assert.match(recorder.problem!.message, /refusal 24/i);
  assert.equal(recorder.connection.subscriptions.size, 0, 'the client itself keeps none of them');
});

test('the records of messages are bounded in number and in size', async () => {
  const { realtime, recorder, clients } = observed();
  recorder.start();
  await realtime.subscribe('notes', ignore);
  const { onMessage } = clients[0]!.subscriptions.get(1)!;
  const long = JSON.stringify('x'.repeat(100_000));
  for (let n = 0; n < LIMITS.messages + 10; n += 1) onMessage(long, meta());
  assert.equal(recorder.messages.entries.length, LIMITS.messages);
  assert.equal(recorder.received, LIMITS.messages + 10);
  const { text, length } = recorder.messages.entries[0]!;
  assert.deepEqual([text.length, length], [MAX_PAYLOAD, long.length]);
  recorder.clear(recorder.messages);
  assert.equal(recorder.messages.entries.length, 0);
});

test('after stop() a client is observed no more, and without a recorder it keeps no message', async () => {
  const { realtime, recorder, clients, changes } = observed();
  recorder.start();
  await realtime.subscribe('notes', ignore);
  recorder.stop();
  const before = changes();
  clients[0]!.subscriptions.get(1)!.onMessage('1', meta());
  clients[0]!.host.state('reconnecting');
  assert.equal(changes(), before);
  assert.equal(recorder.messages.entries.length, 0);
  assert.equal(connections.get(realtime)!.observers.size, 0);
});

test('a fault of the panel reaches neither the callback nor the publish of the app', async (t) => {
  const logged = t.mock.method(console, 'error', () => {});
  const core = fakeCore();
  const realtime = realtimeWith({ session: async () => grant }, core.sources);
  const recorder = new Recorder(connections.get(realtime)!, () => {
    throw new Error('a fault of the panel');
  });
  recorder.start();
  const heard: unknown[] = [];
  await realtime.subscribe('notes', (payload) => heard.push(payload));
  core.clients[0]!.subscriptions.get(1)!.onMessage('1', meta());
  assert.deepEqual(heard, [1]);
  assert.equal((await realtime.publish('notes', 'x')).errors, undefined);
  assert.ok(logged.mock.callCount() > 0);
});

test('neither keys nor tokens of a session are reachable from a recorder', async () => {
  const { realtime, recorder } = observed();
  recorder.start();
  await realtime.publish('notes', 'x');
  const { session } = recorder.connection;
  const seen = JSON.stringify([recorder.messages, recorder.publications.entries, session]);
  for (const secret of [grant.token, grant.keys[0]!.scopes]) assert.ok(!seen.includes(secret));
});

test('the filter finds channel, event and text, without regard to case', () => {
  const record = { channel: 'Notes', event: 'added', text: '{"name":"Anna"}' };
  const none = { channel: '', event: '', text: '' };
  for (const filter of [none, { ...none, channel: 'note' }, { ...none, text: 'anna' }]) {
    assert.equal(matches(filter, record), true);
  }
  assert.equal(matches({ ...none, channel: 'notes', event: 'removed' }, record), false);
  assert.equal(matches({ ...none, text: 'notes' }, record), false, 'each text has its own field');
});

test('a payload is indented, a long one is cut off with a notice, and an error is shown as it is', () => {
  assert.equal(prettyPayload('{"a":[1]}', 9), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(prettyPayload('"cut', 9_000), '"cut\n… the first 4 of 9000 characters');
  assert.equal(prettyPayload('messages were missed', 20), 'messages were missed');
  assert.equal(preview('x'.repeat(500)).length, 121);
});

test('a scope is shown with the values of the context', () => {
  const { context } = grant;
  assert.equal(scopeText({ name: 'n', scope: [] }, context), 'global');
  assert.equal(
    scopeText({ name: 'n', scope: ['dashboard', 'board'] }, context),
    'dashboard = 10001, board = ?',
  );
  assert.equal(scopeText({ name: 'n' }, context), 'default: dashboard = 10001, gadget = 7');
  assert.equal(scopeText({ name: 'n' }), 'default: known with the session');
  assert.equal(scopeText({ name: 'n', scope: ['constructor'] }, context), 'constructor = ?');
});

test('without a document, as in a web worker, the import succeeds and showDevtools() explains itself', () => {
  assert.throws(
    () => showDevtools(),
    isError('INVALID_ARGUMENT', /needs a document, and a web worker has none/),
  );
});
