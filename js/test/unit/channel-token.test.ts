import assert from 'node:assert/strict';
import { test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import { fakeCore } from '../support/fake-core.js';
import { isError } from '../support/rejects.js';

const ignore = () => {};

function page() {
  const { sources, clients } = fakeCore();
  return { realtime: realtimeWith({}, sources), clients };
}

/** A token in the form of a JWT that ends so many seconds from now. */
function tokenFor(seconds: number, number: number): string {
  const payload = { exp: Math.floor(Date.now() / 1000) + seconds, number };
  return `h.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.s~k.v`;
}

/** A token function that counts its calls. */
function counting(lifetimeSeconds: number) {
  const provider = async () => tokenFor(lifetimeSeconds, (provider.calls += 1));
  provider.calls = 0;
  return provider;
}

/** Everything that was answered to the host by now. */
const answers = async (client: { provided: [number, unknown][] }) => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return client.provided;
};

test('a token function is called for a subscription, and again when the core asks', async () => {
  const { realtime, clients } = page();
  const provider = counting(900);
  await realtime.subscribe('n', ignore, { token: provider });
  const { channel, options } = clients[0]!.subscriptions.get(1)!;
  assert.match(channel.token!, /^h\..+\.s~k\.v$/);
  assert.equal(provider.calls, 1);
  clients[0]!.host.token(options.renewToken!, 7);
  const [[renewal, token]] = (await answers(clients[0]!)) as [[number, string]];
  assert.equal(renewal, 7);
  assert.equal(provider.calls, 2);
  assert.notEqual(token, channel.token);
});

test('a fixed token is never renewed by the core', async () => {
  const { realtime, clients } = page();
  await realtime.subscribe('n', ignore, { token: 'h.p.s~k.v' });
  assert.deepEqual(clients[0]!.subscriptions.get(1)!.options, {});
});

test('publications that follow each other share a token, and a short one is not kept', async () => {
  const { realtime, clients } = page();
  const long = counting(900);
  await Promise.all([
    realtime.publish('n', 'a', { token: long }),
    realtime.publish('n', 'b', { token: long }),
  ]);
  await realtime.publish('n', 'c', { token: long });
  assert.equal(long.calls, 1);
  assert.deepEqual(
    clients[0]!.published.map(({ payload }) => payload),
    ['"a"', '"b"', '"c"'],
  );
  const spent = counting(-1);
  await realtime.publish('n', 'd', { token: spent });
  await realtime.publish('n', 'e', { token: spent });
  assert.equal(spent.calls, 2);
});

test('what a token function throws reaches the caller, and the core when it asked', async () => {
  const { realtime, clients } = page();
  const provider = async (): Promise<string> => {
    throw new Error('not today');
  };
  const failure = isError('SESSION_UNAVAILABLE', /The token function failed: not today/);
  await assert.rejects(realtime.subscribe('n', ignore, { token: provider }), failure);
  const { errors } = await realtime.publish('n', 'x', { token: provider });
  assert.match(errors![0]!, /^SESSION_UNAVAILABLE: The token function failed/);
  await realtime.publish('n', 'x');
  clients[0]!.host.token(provider, 3);
  const [[renewal, error]] = (await answers(clients[0]!)) as [[number, unknown]];
  assert.equal(renewal, 3);
  failure(error);
  // A refusal of the resolver keeps its code.
  const refused = async (): Promise<string> => {
    throw new Error('No access. [sealwire:PERMISSION_MISSING]');
  };
  await assert.rejects(
    realtime.subscribe('n', ignore, { token: refused }),
    isError('PERMISSION_MISSING', /No access/),
  );
});

test('a token function that returns something else is told what to return', async () => {
  const { realtime } = page();
  for (const wrong of [undefined, null, '', 7, { token: 'x' }]) {
    await assert.rejects(
      realtime.subscribe('n', ignore, { token: (() => wrong) as never }),
      isError('INVALID_ARGUMENT', /must return what signRealtimeToken\(\) returned as token/),
    );
  }
});
