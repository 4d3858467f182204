import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import type { Invocation } from '../../src/backend/invocation.js';
import type { RealtimeOptions } from '../../src/backend/options.js';
import { realtimeFrom } from '../../src/backend/realtime.js';
import { nodeSigning } from '../../src/backend/signing.js';
import { resolverCore } from '../../src/core/load-resolver.js';
import type { SessionGrant } from '../../src/session/grant.js';
import { canOpen, keysIn } from '../support/key-holder.js';
import { claimsOf, context, fakeKvs, fakeRelay, INSTALLED, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const TAG = /^~t1\.[A-Za-z0-9_-]{59,251}$/;
/** The names and values that must not reach the relay. */
const SECRETS = ['absences', 'added', '10001', '10204', 'layoffs'];
const CONTEXT = { module: 'absences', dashboard: '10001', gadget: '10204' };

/** Returns an app with blind names, everything that it sends to the relay, and its stored secret. */
function blindApp(options: Partial<RealtimeOptions> = {}, kvs = fakeKvs()) {
  const { fetch, posted } = fakeRelay();
  const bodies: string[] = [];
  const recorded = async (url: string | URL | Request, init?: RequestInit) => {
    bodies.push(String(init?.body));
    if (String(url).endsWith('/v1/disconnect')) return Response.json({ before: 1 });
    return fetch(url, init);
  };
  const realtime = createRealtime({
    authorize: () => true,
    ...settings,
    blindNames: true,
    secrets: forgeSecrets(async () => kvs),
    fetch: recorded as typeof globalThis.fetch,
    ...options,
  });
  const nameOf = async (tag: string) => realtime.nameOf(tag, { context });
  return { realtime, posted, bodies, kvs, nameOf };
}

/** Returns the names behind the values of properties. */
async function namesOf(tags: Record<string, string>, nameOf: (tag: string) => Promise<{ name: string }>) {
  const names = Object.entries(tags).map(async ([key, tag]) => [key, (await nameOf(tag)).name]);
  return Object.fromEntries(await Promise.all(names)) as Record<string, string>;
}

test('everything that a function sends to the relay has tags in place of names', async () => {
  const { realtime, posted, bodies, nameOf } = blindApp();
  const { token } = await realtime.signRealtimeToken('layoffs', { team: 'hr' }, undefined, { context });
  await realtime.publish('absences', 'x', { context, eventName: 'added', idempotencyId: 'added' });
  await realtime.publish('layoffs', 'x', { context, scope: { dashboard: '10001' }, token: token! });
  await realtime.publishGlobal('absences', 'x', { context });
  await realtime.disconnect({ accountId: 'account-1', properties: { dashboard: '10001' } }, { context });
  for (const secret of SECRETS) for (const body of bodies) assert.ok(!body.includes(secret), secret);

  const [first, second, global] = posted.map(({ messages }) => messages[0]!);
  assert.deepEqual(await nameOf(first!['channel']), { kind: 'channel', name: 'absences' });
  assert.deepEqual(await nameOf(first!['event']), { kind: 'event', name: 'added' });
  assert.deepEqual(await namesOf(first!['scope'], nameOf), CONTEXT);
  assert.equal(global!['channel'], first!['channel'], 'equal names have equal tags');
  assert.deepEqual([global!['scope'], global!['event']], [{}, '']);
  assert.equal(claimsOf(second!['token'])['ch'], second!['channel']);
  assert.equal(claimsOf(token!)['ch'], second!['channel']);
  const revocation = JSON.parse(bodies.at(-1)!);
  assert.deepEqual([revocation.account, revocation.context], ['account-1', second!['scope']]);
});

test('a session has the tags of its context, as its token does, and the names for the page', async () => {
  const { realtime, nameOf } = blindApp();
  const grant = await realtime.session({ context });
  assert.deepEqual(claimsOf(grant.token)['ctx'], grant.context);
  assert.deepEqual(await namesOf(grant.context, nameOf), CONTEXT);
  for (const tag of Object.values(grant.context)) {
    assert.match(tag, TAG);
    assert.equal((await nameOf(tag)).kind, 'value');
  }
  assert.deepEqual(grant.readableContext, CONTEXT);
  assert.match(grant.nameTagKey!, /^[A-Za-z0-9_-]{43}$/);
  const { sub, ins } = claimsOf(grant.token);
  assert.deepEqual([sub, ins], ['account-1', INSTALLED], 'accounts and installations have no tag');
});

test('authorize, scope() and the default scope see real names', async () => {
  const seen: unknown[] = [];
  const { realtime } = blindApp({
    authorize: ({ extension }) => {
      seen.push(extension);
      return { properties: ['dashboard'] };
    },
  });
  assert.deepEqual((await realtime.session({ context })).readableContext, { dashboard: '10001' });
  assert.deepEqual(seen, [context.extension]);
  assert.deepEqual(await realtime.scope({ context, contextOverrides: ['dashboard'] as never }), {
    dashboard: '10001',
  });
});

test('without the option nothing has a tag, and a session has no key of tags', async () => {
  const { realtime, posted } = blindApp({ blindNames: false });
  const grant = await realtime.session({ context });
  assert.deepEqual(grant.context, CONTEXT);
  assert.ok(!('nameTagKey' in grant) && !('readableContext' in grant));
  await realtime.publish('absences', 'x', { context, eventName: 'added' });
  const { channel, event, scope } = posted[0]!.messages[0]!;
  assert.deepEqual([channel, event, scope], ['absences', 'added', CONTEXT]);
});

test('tags stay the same after rotateKey', async () => {
  const { realtime, posted } = blindApp();
  await realtime.publish('absences', 'x', { context, eventName: 'added' });
  const before = await realtime.session({ context });
  await realtime.rotateKey({ context });
  await realtime.publish('absences', 'x', { context, eventName: 'added' });
  const after = await realtime.session({ context });
  const [first, second] = posted.map(({ messages: [message] }) => [message!['channel'], message!['event']]);
  assert.deepEqual(first, second);
  assert.deepEqual([before.context, before.nameTagKey], [after.context, after.nameTagKey]);
  assert.equal(after.keys.length, 2);
});

test('a new secret has other tags, and does not read the former ones', async () => {
  const [former, present] = [blindApp(), blindApp()];
  const tags = (grant: SessionGrant) => Object.values(grant.context);
  const [lost] = tags(await former.realtime.session({ context }));
  assert.ok(!tags(await present.realtime.session({ context })).includes(lost!));
  await assert.rejects(present.nameOf(lost!), isError('INVALID_ARGUMENT', /not one of this installation/));
  assert.equal((await former.nameOf(lost!)).name, CONTEXT.dashboard);
});

test('a tag of another installation, app or environment, an altered one and garbage are refused', async () => {
  const { realtime, nameOf, kvs } = blindApp();
  const { context: tags } = await realtime.session({ context });
  const tag = tags['dashboard']!;
  const foreign = isError('INVALID_ARGUMENT', /not one of this installation/);
  const elsewhere = { ...context, installContext: 'ari:cloud:jira::site/2' };
  await assert.rejects(realtime.nameOf(tag, { context: elsewhere }), foreign);
  await assert.rejects(blindApp({ app: 'app-2' }, kvs).nameOf(tag), foreign);
  await assert.rejects(blindApp({ environment: 'production' }, kvs).nameOf(tag), foreign);
  await assert.rejects(nameOf(`${tag.slice(0, -1)}${tag.endsWith('A') ? 'E' : 'A'}`), foreign);
  await assert.rejects(nameOf(tag.slice(0, 30)), foreign);
  await assert.rejects(nameOf('~t1.'), foreign);
  await assert.rejects(nameOf('absences'), isError('INVALID_ARGUMENT', /begins with ~t1\./));
  await assert.rejects(nameOf(7 as never), isError('INVALID_ARGUMENT', /not number/));
});

test('a tag can be read after the option was turned off', async () => {
  const { realtime, kvs } = blindApp();
  const { context: tags } = await realtime.session({ context });
  const plain = blindApp({ blindNames: false }, kvs);
  assert.deepEqual(await plain.nameOf(tags['gadget']!), { kind: 'value', name: '10204' });
});

test('the key of tags opens no message, and reads no value of a property', async () => {
  const { realtime, posted } = blindApp();
  await realtime.publish('absences', 'x', { context, eventName: 'added' });
  const message = posted[0]!.messages[0]!;
  const sealedFor = { app: settings.app, installation: INSTALLED, message };
  const { nameTagKey, keys } = await realtime.session({ context });
  assert.equal(canOpen(keysIn(nameTagKey), sealedFor), false);
  assert.equal(canOpen(keysIn(keys), sealedFor), true);
});

test('a name or value that is too long for a tag, and a tag as a name, fail with the limit', async () => {
  const { realtime, posted } = blindApp();
  const errorOf = async (call: Promise<{ errors?: { code: string; message: string }[] | undefined }>) => {
    const [error] = (await call).errors ?? [];
    return `${error?.code} ${error?.message}`;
  };
  const long = 'a'.repeat(160);
  assert.equal(
    await errorOf(realtime.publish(long, 'x', { context })),
    'NAME_INVALID The name of the channel has 160 bytes; the limit with blindNames is 159.',
  );
  assert.match(
    await errorOf(realtime.publish('n', 'x', { context, eventName: long })),
    /^NAME_INVALID The name of the event has 160 bytes/,
  );
  assert.match(
    await errorOf(realtime.publish('n', 'x', { context, scope: { team: long } })),
    /^SCOPE_REFUSED The value of the property team has 160 bytes/,
  );
  assert.match(
    await errorOf(realtime.signRealtimeToken('~t1.AAAA', {}, undefined, { context })),
    /^NAME_INVALID The name of the channel begins like a tag, with ~t1\.; pass the name itself/,
  );
  assert.equal(posted.length, 0);
  const properties = () => ({ team: long });
  const session = blindApp({ properties }).realtime.session({ context });
  await assert.rejects(session, /The value of the property team has 160 bytes.*\[sealwire:SCOPE_REFUSED\]/);
});

test('the variable is the default of the option, also for functions without createRealtime()', async () => {
  const kvs = fakeKvs();
  const { fetch, posted } = fakeRelay();
  const byVariables = realtimeFrom(
    { ...settings, fetch },
    {
      core: resolverCore,
      secrets: () => forgeSecrets(async () => kvs),
      signing: nodeSigning,
      invocations: () => new AsyncLocalStorage<Invocation>(),
    },
  );
  process.env['SEALWIRE_BLIND_NAMES'] = 'true';
  try {
    const { realtime } = blindApp({ blindNames: undefined as never }, kvs);
    const { context: tags } = await realtime.session({ context });
    await byVariables.publish('absences', 'x', { context });
    assert.deepEqual(posted[0]!.messages[0]!['scope'], tags);
    assert.match(tags['dashboard']!, TAG);
    process.env['SEALWIRE_BLIND_NAMES'] = 'yes';
    await assert.rejects(realtime.session({ context }), /SEALWIRE_BLIND_NAMES .* must be true or false/);
    assert.throws(() => blindApp({ blindNames: 'yes' as never }), isError('INVALID_ARGUMENT', /blindNames/));
  } finally {
    delete process.env['SEALWIRE_BLIND_NAMES'];
  }
});
