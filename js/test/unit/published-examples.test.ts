// The examples of Forge's documentation of Realtime, on a page. Only the import differs.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Jira } from '../../src/context/product-context.js';
import { realtimeWith } from '../../src/browser/realtime.js';
import { fakeCore, meta } from '../support/fake-core.js';

function page() {
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({}, sources);
  const say = (subscription: number, payload: unknown) =>
    clients[0]!.subscriptions.get(subscription)?.onMessage(JSON.stringify(payload), meta());
  return { realtime, clients, say };
}

test('a component subscribes when it mounts, publishes by a button, and unsubscribes when it unmounts', async () => {
  const { realtime, clients, say } = page();
  const received: string[] = [];

  const onEvent = (payload: string) => {
    received.push(payload);
  };
  const subscription = realtime.subscribe('my-channel', onEvent);
  await subscription;
  const result = await realtime.publish('my-channel', 'Here is a message');
  say(1, 'Here is a message');
  await subscription.then((s) => s.unsubscribe());

  assert.deepEqual(received, ['Here is a message']);
  assert.equal(typeof result.eventId, 'string');
  assert.equal(clients[0]!.subscriptions.size, 0);
});

test('a component narrows the context on both sides', async () => {
  const { realtime, clients } = page();
  const options = { contextOverrides: [Jira.Project] };
  await realtime.subscribe('my-channel', () => {}, options);
  await realtime.publish('my-channel', { hello: 'project' }, options);
  assert.deepEqual(clients[0]!.subscriptions.get(1)!.channel, { name: 'my-channel', scope: ['project'] });
  assert.deepEqual(clients[0]!.published[0]!.channel, { name: 'my-channel', scope: ['project'] });
});

test('components of any context share a global channel', async () => {
  const { realtime, clients } = page();
  await realtime.subscribeGlobal('my-channel', () => {});
  await realtime.publishGlobal('my-channel', 'to all');
  assert.deepEqual(clients[0]!.subscriptions.get(1)!.channel, clients[0]!.published[0]!.channel);
});

test('a component fetches a token from its resolver, keeps it until it expires, and subscribes with it', async () => {
  const { realtime, clients } = page();
  let now = 1_700_000_000;
  let signed = 0;
  const invoke = async () => ({ token: `jwt-${++signed}~id.key`, expiresAt: now + 900 });

  let kept: { token: string; expiresAt: number } | undefined;
  const currentToken = async () => {
    if (!kept || kept.expiresAt <= now) kept = await invoke();
    return kept.token;
  };

  await realtime.subscribe('my-channel', () => {}, { token: await currentToken(), replaySeconds: 60 });
  await realtime.publish('my-channel', 'x', { token: await currentToken() });
  now += 901;
  await realtime.publish('my-channel', 'x', { token: await currentToken() });

  const { subscriptions, published } = clients[0]!;
  assert.equal(subscriptions.get(1)!.channel.token, 'jwt-1~id.key');
  assert.deepEqual(
    published.map(({ channel }) => channel.token),
    ['jwt-1~id.key', 'jwt-2~id.key'],
  );
});

test('code that checks errors sees undefined on success, and a list on failure', async () => {
  const { realtime, clients } = page();
  const told: string[] = [];
  const announce = async () => {
    const { eventId, errors } = await realtime.publish('my-channel', { a: 1 });
    if (errors && errors.length > 0) told.push(...errors);
    return eventId;
  };
  assert.ok(await announce());
  clients[0]!.failure = { code: 'PERMISSION_MISSING', message: 'the session may not publish' };
  assert.equal(await announce(), null);
  assert.deepEqual(told, ['PERMISSION_MISSING: The session may not publish.']);
});
