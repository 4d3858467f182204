import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import { fakeCore } from '../support/fake-core.js';
import { isError } from '../support/rejects.js';

const ignore = () => {};

function page() {
  const { sources, clients } = fakeCore();
  return { realtime: realtimeWith({}, sources), clients };
}

/** Returns a token in the form of a JWT with this lifetime in seconds, by the clock of its signer. */
function tokenFor(seconds: number, number: number): string {
  const payload = { iat: 1_000, exp: 1_000 + seconds, number };
  return `h.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.s~k.v`;
}

/** Returns a token function that counts its calls. */
function counting(lifetimeSeconds: number) {
  const provider = async () => tokenFor(lifetimeSeconds, (provider.calls += 1));
  provider.calls = 0;
  return provider;
}

/** Returns the results that the host has provided so far. */
const answers = async (client: { provided: [number, unknown][] }) => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return client.provided;
};

test('a token function is called for a subscription, and again when the core requests a token', async () => {
  const { realtime, clients } = page();
  const provider = counting(900);
  await realtime.subscribe('n', ignore, { token: provider });
  const { channel, options } = clients[0]!.subscriptions.get(1)!;
  assert.match(channel.token!, /^h\..+\.s~k\.v$/);
  assert.equal(provider.calls, 1);
  clients[0]!.host.token(options.renewToken!, 7, true);
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

test('consecutive publications share a token, and a short-lived one is not reused', async () => {
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

/** Runs a test with mocks of both clocks of the page. */
async function withClocks(
  body: (clocks: { monotonic: number; wall: number }) => Promise<void>,
): Promise<void> {
  const clocks = { monotonic: 1_000, wall: 1_000 };
  mock.method(Date, 'now', () => clocks.wall);
  mock.method(performance, 'now', () => clocks.monotonic);
  try {
    await body(clocks);
  } finally {
    mock.restoreAll();
  }
}

test('a page whose clock is wrong by an hour fetches a token once, and again before it expires', async () => {
  for (const ahead of [-3_600_000, 3_600_000]) {
    const { realtime } = page();
    await withClocks(async (clocks) => {
      clocks.wall = 1_700_000_000_000 + ahead;
      const provider = counting(900);
      for (let call = 0; call < 10; call += 1) await realtime.publish('n', 'x', { token: provider });
      assert.equal(provider.calls, 1);
      for (const key of ['monotonic', 'wall'] as const) clocks[key] += 539_000;
      await realtime.publish('n', 'x', { token: provider });
      assert.equal(provider.calls, 1);
      for (const key of ['monotonic', 'wall'] as const) clocks[key] += 2_000;
      await realtime.publish('n', 'x', { token: provider });
      assert.equal(provider.calls, 2);
    });
  }
});

test('a token is not reused after a sleep during which one of the clocks stood still', async () => {
  for (const key of ['monotonic', 'wall'] as const) {
    const { realtime } = page();
    await withClocks(async (clocks) => {
      const provider = counting(900);
      await realtime.publish('n', 'x', { token: provider });
      clocks[key] += 3_600_000;
      await realtime.publish('n', 'x', { token: provider });
      assert.equal(provider.calls, 2);
    });
  }
});

test('a function that returns the same token is called more often towards its end, but not for every use', async () => {
  const { realtime } = page();
  await withClocks(async (clocks) => {
    const kept = tokenFor(1_000, 1);
    let calls = 0;
    const provider = async () => ((calls += 1), kept);
    for (let second = 0; second < 990; second += 1) {
      await realtime.publish('n', 'x', { token: provider });
      clocks.monotonic += 1_000;
    }
    assert.ok(calls >= 4 && calls <= 12, String(calls));
  });
});

test('a token that the relay refused is not reused, and a subscription fetches a fresh one', async () => {
  const { realtime, clients } = page();
  const provider = counting(900);
  await realtime.publish('n', 'x', { token: provider });
  const [client] = clients;
  client!.failure = { code: 'TOKEN_EXPIRED', message: 'the channel token has expired' };
  assert.match((await realtime.publish('n', 'y', { token: provider })).errors![0]!, /^TOKEN_EXPIRED/);
  client!.failure = undefined;
  await realtime.publish('n', 'z', { token: provider });
  assert.equal(provider.calls, 2);
  const { subscribe } = client!;
  const refused: string[] = [];
  client!.subscribe = (async (channel, ...rest) => {
    if (refused.push(channel.token!) === 1) throw { code: 'TOKEN_EXPIRED', message: 'it has expired' };
    return subscribe.call(client, channel, ...rest);
  }) as typeof subscribe;
  await realtime.subscribe('n', ignore, { token: provider });
  assert.deepEqual([refused.length, refused[0] === refused[1], provider.calls], [2, false, 3]);
});

test('publications reach the core in the order of their calls, however long each token takes', async () => {
  const { realtime, clients } = page();
  const slow = async () => (await new Promise((resolve) => setTimeout(resolve, 20)), tokenFor(900, 1));
  const failing = async (): Promise<string> => {
    throw new Error('not today');
  };
  const results = await Promise.all([
    realtime.publish('n', 1 + '', { token: slow }),
    realtime.publish('n', 2 + '', { token: 'h.p.s~k.v' }),
    realtime.publish('n', 3 + '', { token: failing }),
    realtime.publish('n', 4 + '', { token: slow }),
    realtime.publish('n', 'another channel'),
  ]);
  assert.deepEqual(
    results.map(({ errors }) => errors === undefined),
    [true, true, false, true, true],
  );
  assert.deepEqual(
    clients[0]!.published.map(({ payload }) => JSON.parse(payload) as string),
    ['another channel', '1', '2', '4'],
  );
});

test('subscriptions with one function share its renewed token, unless a fresh one is requested', async () => {
  const { realtime, clients } = page();
  await withClocks(async (clocks) => {
    const provider = counting(900);
    for (let count = 0; count < 3; count += 1) await realtime.subscribe('n', ignore, { token: provider });
    const { host } = clients[0]!;
    assert.equal(provider.calls, 1);
    // Each subscription is renewed at a different time.
    for (const renewal of [1, 2, 3]) {
      clocks.monotonic += renewal === 1 ? 640_000 : 30_000;
      host.token(provider, renewal, false);
      await new Promise(setImmediate);
    }
    assert.equal(provider.calls, 2);
    host.token(provider, 4, true);
    await new Promise(setImmediate);
    assert.equal(provider.calls, 3);
  });
});

test('a function that does not return is called again by later calls', async () => {
  const { realtime } = page();
  await withClocks(async (clocks) => {
    let calls = 0;
    const provider = () => ((calls += 1), new Promise<string>(() => {}));
    void realtime.publish('n', 'x', { token: provider });
    void realtime.publish('n', 'x', { token: provider });
    await new Promise(setImmediate);
    assert.equal(calls, 1);
    clocks.monotonic += 10_000;
    void realtime.publish('n', 'x', { token: provider });
    await new Promise(setImmediate);
    assert.equal(calls, 2);
    realtime.close();
  });
});

test('an exception of a token function reaches the caller, or the core if it requested the token', async () => {
  const { realtime, clients } = page();
  const provider = async (): Promise<string> => {
    throw new Error('not today');
  };
  const failure = isError('SESSION_UNAVAILABLE', /The token function failed: not today/);
  await assert.rejects(realtime.subscribe('n', ignore, { token: provider }), failure);
  const { errors } = await realtime.publish('n', 'x', { token: provider });
  assert.match(errors![0]!, /^SESSION_UNAVAILABLE: The token function failed/);
  await realtime.publish('n', 'x');
  clients[0]!.host.token(provider, 3, false);
  const [[renewal, error]] = (await answers(clients[0]!)) as [[number, unknown]];
  assert.equal(renewal, 3);
  failure(error);
  // The refusal of a resolver keeps its code.
  const refused = async (): Promise<string> => {
    throw new Error('No access. [sealwire:PERMISSION_MISSING]');
  };
  await assert.rejects(
    realtime.subscribe('n', ignore, { token: refused }),
    isError('PERMISSION_MISSING', /No access/),
  );
});

test('a token function may return what invoke of @forge/bridge returned, with or without metadata', async () => {
  const { realtime, clients } = page();
  for (const result of ['a.b.c', { body: 'a.b.c', metadata: {} }]) {
    await realtime.subscribe('n', ignore, { token: () => result });
    assert.equal([...clients[0]!.subscriptions.values()].at(-1)!.channel.token, 'a.b.c');
  }
});

test('the error for a wrong result of a token function says what to return', async () => {
  const { realtime } = page();
  for (const wrong of [undefined, null, '', 7, { token: 'x' }, { body: 7 }]) {
    await assert.rejects(
      realtime.subscribe('n', ignore, { token: (() => wrong) as never }),
      isError('INVALID_ARGUMENT', /must return what signRealtimeToken\(\) returned as token/),
    );
  }
});
