// The examples of Forge's documentation of Realtime, in a resolver: only the import differs, and the handler is wrapped.
// They run with the real @forge/resolver and @forge/kvs, configured by variables as a deployed app.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import ForgeResolver from '@forge/resolver';

import {
  createRealtime,
  Jira,
  publish,
  publishGlobal,
  signRealtimeToken,
  wrap,
  type SessionGrant,
} from '../../src/resolver.js';
import { inForge } from '../support/forge-runtime.js';
import { installForgeStorage } from '../support/forge-storage.js';
import { claimsOf, fakeRelay, settings } from '../support/relay.js';

// A CommonJS package: Node returns its exports as the default export.
const Resolver = (ForgeResolver as unknown as { default: typeof ForgeResolver }).default ?? ForgeResolver;

const storage = installForgeStorage();
const { fetch, posted } = fakeRelay();

before(() => {
  process.env['SEALWIRE_URL'] = settings.url;
  process.env['SEALWIRE_APP'] = settings.app;
  process.env['SEALWIRE_SIGNING_KEY'] = settings.signingKey;
  globalThis.fetch = fetch;
});

const resolver = new Resolver();

resolver.define(
  'sealwire:session',
  createRealtime({ authorize: ({ accountId }) => accountId !== undefined }).session,
);

resolver.define('default-context', async ({ payload }) => publish('my-channel', payload.text));

resolver.define('overridden-context', async () =>
  publish('my-channel', { changed: true }, { contextOverrides: [Jira.Project] }),
);

resolver.define('global', async () => publishGlobal('my-channel', 'for everyone'));

resolver.define('get-token', async ({ context }) => {
  const { token, expiresAt } = await signRealtimeToken('my-channel', { accountId: context['accountId'] });
  return { token, expiresAt };
});

resolver.define('with-token', async ({ context }) => {
  const { token } = await signRealtimeToken('my-channel', { accountId: context['accountId'] }, ['publish']);
  return publish('my-channel', 'for you', { token: token! });
});

const handler = wrap(resolver.getDefinitions());

async function invoke<T = any>(functionKey: string, payload?: object): Promise<T> {
  const extension = { type: 'jira:issuePanel', issue: { id: '7' }, project: { id: '3' } };
  const context = { moduleKey: 'panel', extension };
  const runtime = { installContext: 'ari:cloud:jira::site/1', principal: { accountId: 'ada' } };
  const call = { functionKey, ...(payload && { payload }) };
  const platform = { appContext: { moduleKey: 'panel' }, aaid: 'ada', signed: context };
  return inForge(platform, async () => (await handler({ call, context }, runtime)) as T);
}

const lastMessage = () => posted.at(-1)!.messages[0]!;

test('the default channel has the scope of the module and of its page’s content', async () => {
  const result = await invoke('default-context', { text: 'hello' });
  assert.deepEqual(result, { eventId: '00000000000000aa-7', eventTimestamp: '1700000000456' });
  assert.deepEqual(lastMessage()['scope'], { module: 'panel', issue: '7', project: '3' });
});

test('an override keeps one property of the context', async () => {
  await invoke('overridden-context');
  assert.deepEqual(lastMessage()['scope'], { project: '3' });
});

test('a global channel has no scope', async () => {
  assert.equal((await invoke('global')).errors, undefined);
  assert.deepEqual(lastMessage()['scope'], {});
});

test('a token with custom claims goes to the page with the time at which it expires', async () => {
  const { token, expiresAt } = await invoke('get-token');
  assert.equal(typeof token, 'string');
  const seconds = expiresAt - Date.now() / 1000;
  assert.ok(seconds > 890 && seconds <= 900, `${seconds}`);
});

test('a resolver publishes to the channel of a token', async () => {
  assert.equal((await invoke('with-token')).errors, undefined);
  assert.deepEqual(claimsOf(lastMessage()['token'])['can'], ['publish']);
});

test('the session function answers through the same resolver, from the same stored secret', async () => {
  const grant = await invoke<SessionGrant>('sealwire:session', { reason: 'connect' });
  assert.deepEqual(grant.context, { module: 'panel', issue: '7', project: '3' });
  const sets = storage.calls.filter((path) => path.endsWith('/set'));
  assert.deepEqual([storage.secrets.size, sets.length], [1, 1]);
});
