import assert from 'node:assert/strict';
import { test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import type { PresenceMember, PresenceOptions, Realtime } from '../../src/index.js';
import type { MemberRow } from '../../src/core/browser-core.js';
import { fakeCore, type FakeClient } from '../support/fake-core.js';
import { grant } from '../support/grant.js';
import { isError } from '../support/rejects.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

const row = (id: string, data: unknown, enteredAt = 1, account = '', isSelf = false): MemberRow => [
  id,
  JSON.stringify(data),
  account,
  enteredAt,
  false,
  isSelf,
  false,
];

/** Returns the row of a member whose signature is verified. */
const verified = (id: string, data: unknown, enteredAt: number, account: string): MemberRow => [
  id,
  JSON.stringify(data),
  account,
  enteredAt,
  false,
  false,
  true,
];

/** Passes rows to the open presence, as the core does. */
function deliver(client: FakeClient, rows: MemberRow[]): void {
  const { onMessage } = client.subscriptions.get(1)!;
  (onMessage as unknown as (rows: MemberRow[]) => void)(rows);
}

/** Opens a presence with these first members. */
async function opened(rows: MemberRow[], options: PresenceOptions = {}) {
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({ session: async () => grant }, sources);
  const opening = realtime.presence('board', options);
  await turn();
  const client = clients[0]!;
  deliver(client, rows);
  return { realtime, client, presence: await opening };
}

const data = (members: readonly PresenceMember[]) => members.map((member) => member.data);

test('a presence resolves once its members are known, in the order in which they entered', async () => {
  const { presence } = await opened([row('a', 1, 30), row('b', 2, 10), row('c', 3, 20)]);
  assert.deepEqual(data(presence.members), [2, 3, 1]);
  assert.deepEqual(presence.members[0], {
    id: 'b',
    data: 2,
    enteredAt: 10,
    inGrace: false,
    isSelf: false,
    connections: 1,
  });
});

test('each batch of changes is one call with a new array, and a listener that throws stops no other one', async () => {
  const { presence, client } = await opened([row('a', 1)]);
  const before = presence.members;
  const seen: unknown[] = [];
  const reported: unknown[] = [];
  globalThis.reportError = (error) => void reported.push(error);
  try {
    presence.onChange(() => {
      throw new Error('a listener of the app');
    });
    const remove = presence.onChange((members) => seen.push(data(members)));
    deliver(client, [row('b', 2, 2), row('c', 3, 3), ['a']]);
    remove();
    deliver(client, [['b']]);
  } finally {
    Reflect.deleteProperty(globalThis, 'reportError');
  }
  assert.deepEqual(seen, [[2, 3]]);
  assert.equal(reported.length, 2);
  assert.deepEqual([data(before), data(presence.members)], [[1], [3]]);
});

test('the pages of one account are one member with tabs: merged, and two without', async () => {
  const rows = [
    row('a', 'first', 1, 'anna'),
    row('b', 'ben', 2, 'ben'),
    row('c', 'second', 3, 'anna', true),
    row('d', 'unknown', 4),
    row('e', 'unknown', 5),
  ];
  const { presence } = await opened(rows, { tabs: 'merged' });
  assert.deepEqual(
    presence.members.map((member) => [member.id, member.data, member.connections, member.isSelf]),
    [
      ['a', 'first', 2, true],
      ['b', 'ben', 1, false],
      ['d', 'unknown', 1, false],
      ['e', 'unknown', 1, false],
    ],
  );
  assert.equal(presence.members[0]!.claimedAccountId, 'anna');
  assert.equal((await opened(rows)).presence.members.length, 5);
});

test('a verified member has an accountId, and members: verified leaves all others out', async () => {
  const rows = [row('a', 1, 1, 'anna'), verified('b', 2, 2, 'anna'), row('c', 3, 3)];
  const { presence } = await opened(rows);
  assert.deepEqual(
    presence.members.map(({ accountId, claimedAccountId }) => [accountId, claimedAccountId]),
    [
      [undefined, 'anna'],
      ['anna', 'anna'],
      [undefined, undefined],
    ],
  );
  const strict = await opened(rows, { members: 'verified' });
  assert.deepEqual(data(strict.presence.members), [2]);
  deliver(strict.client, [row('b', 4, 2, 'anna'), verified('d', 5, 4, 'dan')]);
  assert.deepEqual(data(strict.presence.members), [5]);
});

test('tabs: merged never merges a claim into a verified account', async () => {
  const rows = [
    row('a', 'claim', 1, 'anna'),
    verified('b', 'first', 2, 'anna'),
    verified('c', 'second', 3, 'anna'),
    row('d', 'claim', 4, 'anna'),
  ];
  const { presence } = await opened(rows, { tabs: 'merged' });
  assert.deepEqual(
    presence.members.map((member) => [member.data, member.accountId, member.connections]),
    [
      ['claim', undefined, 2],
      ['first', 'anna', 2],
    ],
  );
});

test('a page signs its entry by the option of the call or of the client', async () => {
  const { presence, client } = await opened([], { signed: true });
  await presence.enter(1);
  await presence.leave();
  assert.deepEqual(client.entered, [
    [1, '1', true],
    [1, undefined, false],
  ]);
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({ session: async () => grant, signed: true }, sources);
  for (const [options, signed] of [
    [{}, true],
    [{ signed: false }, false],
  ] as const) {
    const opening = realtime.presence('board', options);
    await turn();
    for (const { onMessage } of clients[0]!.subscriptions.values())
      (onMessage as (rows: unknown) => void)([]);
    await (await opening).enter(1);
    assert.equal(clients[0]!.entered.at(-1)?.[2], signed);
  }
});

test('the state says whether the presence is open, and refreshToken() takes a token', async () => {
  const { presence, client } = await opened([], { onError: () => {} });
  assert.equal(presence.state, 'open');
  await assert.rejects(presence.refreshToken(undefined as never), isError('INVALID_ARGUMENT', /token/));
  await presence.refreshToken('a.b.c');
  client.subscriptions.get(1)!.onNotice({ kind: 'ended', code: 'TOKEN_EXPIRED', message: 'why' });
  assert.equal(presence.state, 'ended');
  const other = await opened([]);
  other.realtime.close();
  assert.equal(other.presence.state, 'ended');
});

test('enter(), update() and leave() pass JSON to the core', async () => {
  const { presence, client } = await opened([]);
  await assert.rejects(presence.update({ a: 1 }), isError('INVALID_ARGUMENT', /enter\(\) first/));
  await presence.enter();
  await presence.update({ a: 2 });
  await presence.leave();
  assert.deepEqual(client.entered, [
    [1, 'null', false],
    [1, '{"a":2}', false],
    [1, undefined, false],
  ]);
  await assert.rejects(presence.update({ a: 3 }), isError('INVALID_ARGUMENT', /enter\(\) first/));
});

test('data that is too long or that JSON would lose is refused before it is sent', async () => {
  const { presence, client } = await opened([]);
  await assert.rejects(presence.enter('x'.repeat(3_071)), isError('INVALID_ARGUMENT', /3073 bytes/));
  await assert.rejects(presence.enter({ at: new Map() }), isError('INVALID_ARGUMENT', /data/));
  assert.deepEqual(client.entered, []);
  await presence.enter('x'.repeat(3_070));
  assert.equal(client.entered.length, 1);
});

test('a wrong option is refused', async () => {
  const { realtime } = await opened([]);
  const wrong = (options: object) => realtime.presence('board', options as PresenceOptions);
  await assert.rejects(wrong({ tabs: 'some' }), isError('INVALID_ARGUMENT', /tabs/));
  await assert.rejects(wrong({ onError: 1 }), isError('INVALID_ARGUMENT', /onError/));
  await assert.rejects(wrong({ members: 'function' }), isError('INVALID_ARGUMENT', /members/));
  await assert.rejects(wrong({ signed: 1 }), isError('INVALID_ARGUMENT', /signed/));
  await assert.rejects(realtime.presence(''), isError('NAME_INVALID', /channel/));
});

test('errors go to onError, data that is not JSON is one, and the end empties the members', async () => {
  const codes: string[] = [];
  const { presence, client } = await opened([row('a', 1)], { onError: ({ code }) => codes.push(code) });
  const { onNotice } = client.subscriptions.get(1)!;
  deliver(client, [['b', '{', '', 1, false, false, false]]);
  onNotice({ kind: 'error', code: 'MESSAGE_STALE', message: 'old' });
  const seen: number[] = [];
  presence.onChange((members) => seen.push(members.length));
  onNotice({ kind: 'ended', code: 'PERMISSION_MISSING', message: 'no' });
  assert.deepEqual(codes, ['MESSAGE_UNREADABLE', 'MESSAGE_STALE', 'PERMISSION_MISSING']);
  assert.deepEqual([presence.members, seen], [[], [0]]);
});

test('after close(), nothing is delivered and the core has unsubscribed', async () => {
  const { presence, client } = await opened([row('a', 1)]);
  const { onMessage } = client.subscriptions.get(1)!;
  let calls = 0;
  presence.onChange(() => (calls += 1));
  await presence.close();
  (onMessage as unknown as (rows: MemberRow[]) => void)([['a']]);
  assert.deepEqual([calls, client.subscriptions.size], [0, 0]);
});

test('close() of the client ends the presence and a call that waits for the members', async () => {
  const { sources, clients } = fakeCore();
  const realtime: Realtime = realtimeWith({ session: async () => grant }, sources);
  const opening = realtime.presence('board');
  await turn();
  realtime.close();
  await assert.rejects(opening, isError('CLOSED', /closed/));
  assert.equal(clients[0]!.closed, true);
});

test('the core gets the channel, its scope and the time limit', async () => {
  const { client } = await opened([], { contextOverrides: [], timeoutMs: 5_000 });
  const { channel, options } = client.subscriptions.get(1)!;
  assert.deepEqual(channel, { name: 'board', scope: [] });
  assert.deepEqual([options.member, (options.timeoutMs ?? 0) <= 5_000], [{}, true]);
});
