import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import { INSTALLED, claimsOf, context, fakeKvs, fakeRelay, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const NOW = 1_700_000_000_000;

function backend() {
  const { fetch, posted } = fakeRelay();
  const kvs = fakeKvs();
  const secrets = forgeSecrets(async () => kvs);
  const realtime = createRealtime({ authorize: () => true, ...settings, secrets, fetch, now: () => NOW });
  return { realtime, posted };
}

test('a token is valid for one channel of the installation, by default to subscribe and to publish', async () => {
  const { realtime } = backend();
  const { token, expiresAt, errors } = await realtime.signRealtimeToken('team', { team: 'blue' }, undefined, {
    context,
  });
  assert.equal(errors, undefined);
  assert.equal(expiresAt, NOW / 1000 + 900);
  const claims = claimsOf(token!);
  assert.deepEqual([claims['aud'], claims['ch'], claims['ins']], ['sealwire:channel', 'team', INSTALLED]);
  assert.deepEqual([...claims['can']].sort(), ['publish', 'subscribe']);
  const one = await realtime.signRealtimeToken('team', {}, ['subscribe'], { context, lifetimeSeconds: 60 });
  assert.deepEqual(claimsOf(one.token!)['can'], ['subscribe']);
  assert.equal(one.expiresAt, NOW / 1000 + 60);
  const present = await realtime.signRealtimeToken('team', {}, ['subscribe', 'presence'], { context });
  assert.deepEqual(claimsOf(present.token!)['can'], ['subscribe', 'presence']);
});

test('the relay does not receive the claims, and their key is separate from the signed token', async () => {
  const { realtime, posted } = backend();
  const { token } = await realtime.signRealtimeToken('team', { member: 'ada-lovelace' }, undefined, {
    context,
  });
  const [jwt, ...keys] = token!.split('~');
  assert.equal(JSON.stringify(claimsOf(jwt!)).includes('ada-lovelace'), false);
  assert.equal(keys.length, 1);
  assert.match(keys[0]!, /^[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{43}$/);
  await realtime.publish('team', 'x', { context, token: token! });
  assert.equal(posted[0]!.messages[0]!['token'], jwt);
  assert.equal(JSON.stringify(posted).includes(keys[0]!.split('.')[1]!), false);
});

test('equal claims select the same channel, independent of the order of their names', async () => {
  const { realtime } = backend();
  const tagOf = async (claims: object) =>
    claimsOf((await realtime.signRealtimeToken('team', claims, undefined, { context })).token!)['tag'];
  assert.equal(await tagOf({ a: 1, b: { c: 2, d: 3 } }), await tagOf({ b: { d: 3, c: 2 }, a: 1 }));
  assert.notEqual(await tagOf({ a: 1 }), await tagOf({ a: 2 }));
  assert.notEqual(await tagOf({ a: 1 }), await tagOf({ a: '1' }));
});

test('a malformed token is reported when it is used to publish', async () => {
  const { realtime, posted } = backend();
  const { errors } = await realtime.publish('team', 'x', { context, token: 'broken' });
  assert.equal(errors![0]!.code, 'TOKEN_MALFORMED');
  assert.equal(posted.length, 0);
});

test('claims must be a JSON object', async () => {
  const { realtime } = backend();
  const refused = (claims: unknown, why: RegExp) =>
    assert.rejects(
      realtime.signRealtimeToken('team', claims as never, undefined, { context }),
      isError('INVALID_ARGUMENT', why),
    );
  for (const claims of [undefined, null, 'team', 7, ['team'], () => {}, new Date()]) {
    await refused(claims, /claims must be a JSON object/);
  }
  const deep = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`) as object;
  await refused(deep, /claims are nested too deeply/);
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  for (const [claims, why] of [
    [cycle, /^claims\.self is an object that contains itself/],
    [{ big: 1n }, /^claims\.big is a BigInt/],
    [{ teams: new Set(['blue']) }, /^claims\.teams is of the kind Set/],
    [{ users: [{ team: Promise.resolve('blue') }] }, /^claims\.users\[0\]\.team is of the kind Promise/],
    [{ until: NaN }, /^claims\.until is NaN/],
    [new Map([['team', 'blue']]), /^claims is of the kind Map/],
    [{ team: '\ud800' }, /^claims\.team is not well-formed Unicode/],
    [{ '\ud800': 1 }, /^claims\["\\ud800"\] is not well-formed Unicode/],
  ] as const) {
    await refused(claims, why);
  }
  const long = realtime.signRealtimeToken('team', { text: 'x'.repeat(4096) }, undefined, { context });
  await assert.rejects(long, isError('INVALID_ARGUMENT', /the limit is 4096/));
});

test('a wrong channel, wrong permissions and a wrong lifetime are refused', async () => {
  const { realtime } = backend();
  await assert.rejects(
    realtime.signRealtimeToken('', {}, undefined, { context }),
    isError('NAME_INVALID', /empty/),
  );
  for (const permissions of [[], ['read'], 'subscribe', ['subscribe', null], {}]) {
    const refused = isError(
      'INVALID_ARGUMENT',
      /permissions must be a list of 'subscribe', 'publish' and 'presence'/,
    );
    await assert.rejects(realtime.signRealtimeToken('team', {}, permissions as never, { context }), refused);
  }
  const long = realtime.signRealtimeToken('team', {}, undefined, { context, lifetimeSeconds: 86_401 });
  await assert.rejects(long, isError('INVALID_ARGUMENT', /lifetimeSeconds.*24 hours/));
  await assert.rejects(
    realtime.signRealtimeToken('team', {}),
    isError('INVALID_ARGUMENT', /invocation is unknown/),
  );
});
