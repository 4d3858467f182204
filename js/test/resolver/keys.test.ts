import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import { MAX_AGE_FOR_TOKENS_MS, MAX_AGE_MS } from '../../src/backend/installation-secrets.js';
import { nodeSigning } from '../../src/backend/signing.js';
import { resolverCore } from '../../src/core/load-resolver.js';
import type { InstallationSecret } from '../../src/core/resolver-core.js';
import type { SessionGrant } from '../../src/session/grant.js';
import { testResolverCore } from '../../src/testing/resolver-core.js';
import { canOpen, keysIn } from '../support/key-holder.js';
import { claimsOf, context, fakeKvs, fakeRelay, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const NOW = 1_700_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const REPLAY_WINDOW_MS = 120_000;
/** The tolerated difference between the clocks of a signer and of the relay. */
const SKEW_MS = 60_000;

const { app, signingKey } = settings;
const installation = context.installContext;

function mint(
  secret: InstallationSecret,
  properties: Record<string, string>,
): Omit<SessionGrant, 'url' | 'issuedAtMs'> {
  const who = { signingKey, app, installation, account: 'ada', can: ['subscribe' as const] };
  return resolverCore().mintSession({ ...who, context: properties, nowSeconds: NOW / 1000 }, secret);
}

test('no keys of two contexts open the messages of a third', () => {
  const secret = resolverCore().newInstallationSecret(NOW / 1000, nodeSigning.newKey());
  const publishedIn = (scope: Record<string, string>) => {
    const where = { app, installation, scope, channel: 'review', event: 'added' };
    const { sealed } = resolverCore().seal({ ...where, payload: '"secret"', nowMs: NOW }, secret);
    return { app, installation, message: { ...where, sealed } };
  };
  const viewer = mint(secret, { issue: '7', module: 'viewer' });
  const admin = mint(secret, { issue: '8', module: 'admin' });
  const both = [viewer, admin].flatMap(({ keys }) => keysIn(keys));

  for (const scope of [
    { issue: '7', module: 'admin' },
    { issue: '8', module: 'viewer' },
  ]) {
    assert.equal(canOpen(both, publishedIn(scope)), false, JSON.stringify(scope));
    assert.equal(canOpen(keysIn(mint(secret, scope).keys), publishedIn(scope)), true, JSON.stringify(scope));
  }
  for (const scope of [viewer.context, admin.context, { issue: '7' }, { module: 'admin' }, {}]) {
    assert.equal(canOpen(both, publishedIn(scope as Record<string, string>)), true, JSON.stringify(scope));
  }
});

test('a context of nine properties is refused with the limit, in a session and in a scope', () => {
  for (const core of [resolverCore(), testResolverCore]) {
    const secret = core.newInstallationSecret(NOW / 1000, nodeSigning.newKey());
    const properties = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, '1']));
    const session = (count: number) => {
      const who = { signingKey, app, installation, account: 'ada', can: ['subscribe' as const] };
      return core.mintSession({ ...who, context: properties(count), nowSeconds: NOW / 1000 }, secret);
    };
    const seal = (count: number) => {
      const where = { app, installation, scope: properties(count), channel: 'n', event: '' };
      return core.seal({ ...where, payload: '1', nowMs: NOW }, secret);
    };
    for (const call of [session, seal]) {
      call(8);
      assert.throws(() => call(9), { code: 'SCOPE_REFUSED', message: /at most 8 properties/ });
    }
  }
});

/** Returns a resolver with a mocked clock. `at` creates another one with a different clock on the same storage. */
function rotating(sessionLifetimeSeconds?: number) {
  const kvs = fakeKvs();
  const relay = fakeRelay();
  const clock = { now: NOW };
  const at = (skew = 0) =>
    createRealtime({
      authorize: () => true,
      ...settings,
      secrets: forgeSecrets(async () => kvs),
      fetch: relay.fetch,
      now: () => clock.now + skew,
      ...(sessionLifetimeSeconds !== undefined && { sessionLifetimeSeconds }),
    });
  return { kvs, posted: relay.posted, clock, at };
}

const idsOf = ({ keys }: SessionGrant) => keys.map(({ id }) => id);
const idsIn = (token: string) =>
  token
    .split('~')
    .slice(1)
    .map((key) => key.split('.')[0]);

test('thirty days after a rotation no session and no channel token has the old key', async () => {
  const { kvs, clock, at } = rotating();
  const realtime = at();
  const [first] = idsOf(await realtime.session({ context }));
  await realtime.rotateKey({ context });
  const [second, ...old] = idsOf(await realtime.session({ context }));
  assert.deepEqual(old, [first]);

  clock.now += 30 * DAY_MS;
  assert.deepEqual(idsOf(await realtime.session({ context })), [second]);
  const { token } = await realtime.signRealtimeToken('team', {}, undefined, { context });
  assert.deepEqual(idsIn(token!), [second]);

  // A session never writes to the storage, since it could undo a concurrent rotation. The next rotation drops old keys.
  assert.equal((kvs.value as InstallationSecret).keys.length, 2);
  assert.equal((await realtime.rotateKey({ context })).keys, 2);
  const [third, ...kept] = idsOf(await realtime.session({ context }));
  assert.deepEqual([kept, third === second], [[second], false]);
});

test('a replaced key outlasts every session and channel token that lacks the new one, and their replay', async () => {
  for (const [behind, ahead] of [
    [0, 0],
    [-SKEW_MS, SKEW_MS],
  ] as const) {
    const { clock, at } = rotating(DAY_MS / 1000);
    const rotates = at(behind);
    const stale = at(ahead);
    const [old] = idsOf(await stale.session({ context }));
    await rotates.rotateKey({ context });
    const rotatedAt = clock.now;

    // A process that read the secret just before the rotation uses the old key alone until its cache expires.
    clock.now += MAX_AGE_FOR_TOKENS_MS - 1000;
    const lifetimeSeconds = DAY_MS / 1000;
    const { token } = await stale.signRealtimeToken('team', {}, undefined, { context, lifetimeSeconds });
    assert.equal(claimsOf(token!)['exp'] * 1000, clock.now + ahead + DAY_MS);
    clock.now = rotatedAt + MAX_AGE_MS - 1000;
    const session = await stale.session({ context });
    assert.deepEqual([idsOf(session), idsIn(token!)], [[old], [old]]);
    assert.equal(session.expiresAt * 1000, clock.now + ahead + DAY_MS);

    // The relay accepts the token until its exp, by a clock that may be behind, and replays for two more minutes.
    clock.now += DAY_MS + (ahead === 0 ? 0 : SKEW_MS) + REPLAY_WINDOW_MS;
    for (const reader of [at(ahead), at(behind)]) {
      assert.equal(idsOf(await reader.session({ context })).at(-1), old);
    }
    // Afterwards the key is dropped, at the latest after the overlap by the slowest clock.
    clock.now = rotatedAt + DAY_MS + 10 * 60_000 - behind + ahead;
    for (const reader of [at(ahead), at(behind)]) {
      assert.equal(idsOf(await reader.session({ context })).includes(old!), false);
    }
  }
});

test('publishing seals with the newest key, and with a replaced one for tokens without a newer key', async () => {
  const { posted, clock, at } = rotating();
  const realtime = at();
  const lifetimeSeconds = DAY_MS / 1000;
  const { token } = await realtime.signRealtimeToken('team', {}, undefined, { context, lifetimeSeconds });
  await realtime.rotateKey({ context });
  const [second, first] = idsOf(await realtime.session({ context }));
  const sealedUnder = async (options: { token?: string }) => {
    const { errors } = await realtime.publish('team', 'x', { context, ...options });
    if (errors) return errors[0]!.code;
    const { sealed } = posted.at(-1)!.messages[0]!;
    return Buffer.from(sealed, 'base64').subarray(1, 5).toString('base64url');
  };
  assert.deepEqual([await sealedUnder({}), await sealedUnder({ token: token! })], [second, first]);
  clock.now += 2 * DAY_MS;
  assert.deepEqual(
    [await sealedUnder({}), await sealedUnder({ token: token! })],
    [second, 'TOKEN_MALFORMED'],
  );
});

test('rotations that would drop keys in use are refused with the time to wait', async () => {
  const { clock, at } = rotating();
  const realtime = at();
  for (let rotation = 1; rotation < 16; rotation += 1) await realtime.rotateKey({ context });
  await assert.rejects(
    realtime.rotateKey({ context }),
    isError('RATE_LIMITED', /16 encryption keys.*87000 s/),
  );
  clock.now += 87_000_000;
  assert.equal((await realtime.rotateKey({ context })).keys, 2);
});

test("the test relay's resolver keeps as many keys as the real one", () => {
  const counts = [resolverCore(), testResolverCore].map((core) => {
    let secret = core.newInstallationSecret(1000, nodeSigning.newKey());
    return [2000, 2001, 88_999, 89_000, 89_001, 1500, 400_000].map((seconds) => {
      secret = core.rotate(secret, seconds, nodeSigning.newKey());
      return secret.keys.length;
    });
  });
  assert.deepEqual(counts[1], counts[0]);
});
