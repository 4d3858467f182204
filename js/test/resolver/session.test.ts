import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import type { Authorize, RealtimeOptions } from '../../src/backend/options.js';
import { checkGrant } from '../../src/session/grant.js';
import { keysIn } from '../support/key-holder.js';
import { INSTALLED, claimsOf, context, fakeKvs, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const NOW = 1_700_000_000_000;

function backend(authorize: Authorize = () => true, over: Partial<RealtimeOptions> = {}) {
  const kvs = fakeKvs();
  const realtime = createRealtime({
    authorize,
    ...settings,
    secrets: forgeSecrets(async () => kvs),
    now: () => NOW,
    ...over,
  });
  return { realtime, kvs };
}

test('a session belongs to the app, the installation, the account and the context of the invocation', async () => {
  const { realtime } = backend();
  const grant = await realtime.session({ payload: { reason: 'connect' }, context });
  checkGrant(grant, 'it');
  const properties = { module: 'absences', dashboard: '10001', gadget: '10204' };
  assert.equal(grant.url, 'wss://relay.example/v1/realtime');
  assert.deepEqual(grant.context, properties);
  const { aud, iss, sub, ins, ctx, can, iat, exp } = claimsOf(grant.token);
  assert.deepEqual([aud, iss, sub, ins], ['sealwire:session', 'app-1', 'account-1', INSTALLED]);
  assert.deepEqual(ctx, properties);
  assert.deepEqual([...can].sort(), ['publish', 'subscribe']);
  assert.deepEqual([iat, exp, grant.expiresAt], [NOW / 1000, NOW / 1000 + 900, NOW / 1000 + 900]);
});

test('a session contains the keys of its own context only, for every key version', async () => {
  const { realtime } = backend();
  await realtime.rotateKey({ context });
  const grant = await realtime.session({ context });
  assert.equal(grant.keys.length, 2);
  for (const { id, scopes } of grant.keys) {
    assert.equal(Buffer.from(id, 'base64url').length, 4);
    assert.equal(keysIn(scopes).length, 2 ** Object.keys(grant.context).length);
  }
  assert.equal(new Set(keysIn(grant.keys).map((key) => key.toString('hex'))).size, 2 * 8);
});

test('a session never contains the installation secret or the signing key', async () => {
  const { realtime, kvs } = backend();
  const text = JSON.stringify(await realtime.session({ context }));
  const { routing, keys } = kvs.value as { routing: string; keys: { key: string }[] };
  for (const secret of [routing, keys[0]!.key, settings.signingKey.split('.')[1]!]) {
    assert.equal(text.includes(secret), false);
  }
});

test('authorize decides by the context, and the page has no influence', async () => {
  const seen: unknown[] = [];
  const { realtime } = backend(async (given) => (seen.push(given), { subscribe: true }));
  const payload = { context: { moduleKey: 'admin' }, can: ['publish'], authorize: true };
  const grant = await realtime.session({ payload, context });
  assert.deepEqual(seen, [context]);
  assert.deepEqual(claimsOf(grant.token)['can'], ['subscribe']);
  assert.equal(grant.context['module'], 'absences');
});

test('a refusal is thrown with its code where the page can read it, before any key is touched', async () => {
  const { realtime, kvs } = backend(() => false);
  const refusal = isError(
    'PERMISSION_MISSING',
    /authorize\(\) refused the session\. \[sealwire:PERMISSION_MISSING\]$/,
  );
  await assert.rejects(realtime.session({ context }), refusal);
  assert.equal(kvs.reads, 0);
});

test('an authorize that fails or returns nothing grants nothing', async () => {
  const failing = backend(() => Promise.reject(new Error('Jira is down')));
  await assert.rejects(
    failing.realtime.session({ context }),
    isError('SESSION_UNAVAILABLE', /authorize\(\) failed: Jira is down/),
  );
  const forgetful = backend((() => undefined) as never);
  await assert.rejects(
    forgetful.realtime.session({ context }),
    isError('INVALID_ARGUMENT', /must return true, false/),
  );
});

test('only an invocation from a page of an installation can have a session', async () => {
  const { realtime } = backend();
  const { moduleKey: _, ...noModule } = context;
  await assert.rejects(realtime.session({ context: noModule }), isError('INVALID_ARGUMENT', /no moduleKey/));
  const { installContext: __, ...nowhere } = context;
  await assert.rejects(
    realtime.session({ context: nowhere }),
    isError('INVALID_ARGUMENT', /no installContext/),
  );
  await assert.rejects(
    realtime.session(undefined as never),
    isError('INVALID_ARGUMENT', /is a resolver function/),
  );
});

test('a session for a page with an unknown key reads the secret again', async () => {
  const { realtime, kvs } = backend();
  await realtime.session({ context });
  const reads = kvs.reads;
  await realtime.session({ payload: { reason: 'refresh' }, context });
  assert.equal(kvs.reads, reads);
  await realtime.session({ payload: { reason: 'unknown-key' }, context });
  assert.equal(kvs.reads, reads + 1);
});

test('sessions have the configured lifetime, at most 24 hours', async () => {
  const { realtime } = backend(() => true, { sessionLifetimeSeconds: 60 });
  const grant = await realtime.session({ context });
  assert.equal(grant.expiresAt, NOW / 1000 + 60);
  for (const sessionLifetimeSeconds of [0, 86_401, 1.5, '60' as never]) {
    const make = () => backend(() => true, { sessionLifetimeSeconds });
    assert.throws(make, isError('INVALID_ARGUMENT', /sessionLifetimeSeconds.*1 to 86400/));
  }
});

test('createRealtime requires authorize, and settings only at the first use', async () => {
  assert.throws(() => createRealtime({} as never), isError('INVALID_ARGUMENT', /needs authorize/));
  assert.throws(
    () => createRealtime({ authorize: true } as never),
    isError('INVALID_ARGUMENT', /must be a function/),
  );
  const unset = createRealtime({ authorize: () => true, environment: 'test' });
  await assert.rejects(unset.session({ context }), isError('INVALID_ARGUMENT', /SEALWIRE_APP is not set/));
});
