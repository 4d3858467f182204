// A server of the app's own makes the context itself, so the context is trusted there and nowhere else.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import type { RealtimeOptions } from '../../src/backend/options.js';
import type { ForgeContext } from '../../src/context/properties.js';
import type { InstallationSecret } from '../../src/core/resolver-core.js';
import { inForge } from '../support/forge-runtime.js';
import { claimsOf, fakeRelay, SIGNING_KEY } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const SITE = 'ari:cloud:jira::site/1';
const PAGE = {
  installContext: SITE,
  accountId: 'ada',
  moduleKey: 'panel',
  extension: { dashboard: { id: '1' }, gadget: { id: '2' } },
};

function server(more: Partial<RealtimeOptions> = {}) {
  const { fetch, posted } = fakeRelay();
  const stored = new Map<string, InstallationSecret>();
  const realtime = createRealtime({
    url: 'wss://relay.example',
    app: 'app-1',
    signingKey: SIGNING_KEY,
    secrets: {
      read: async (installation) => stored.get(installation),
      create: async (installation, secret) => stored.set(installation, secret).get(installation)!,
      replace: async (installation, secret) => void stored.set(installation, secret),
    },
    fetch,
    authorize: () => true,
    ...more,
  });
  return { realtime, posted };
}

test('a server of the app vouches for the context that it makes, and needs no environment', async () => {
  const { realtime, posted } = server();
  const grant = await realtime.session({ context: PAGE });
  assert.equal(grant.installation, SITE);
  assert.deepEqual(grant.context, { module: 'panel', dashboard: '1', gadget: '2' });
  assert.equal(grant.noDefaultScope, undefined);
  assert.deepEqual((await realtime.publish('n', 'x', { context: PAGE })).errors, undefined);
  assert.equal(claimsOf(posted[0]!.headers['authorization']!.slice('Bearer '.length))['ins'], SITE);
});

test('a context without a type has no default scope if one of its fields is unknown', async () => {
  const { realtime } = server();
  for (const extension of [{ dashboard: { id: '1' }, tile: { id: '2' } }, { dashboard: { id: '' } }, 'x']) {
    const context = { ...PAGE, extension } as unknown as ForgeContext;
    const { noDefaultScope } = await realtime.session({ context });
    assert.match(noDefaultScope ?? 'none', /The type of the module is not known/);
  }
});

test('an unknown type has no default scope on a server of the app either', async () => {
  const { realtime } = server();
  const context = { ...PAGE, extension: { ...PAGE.extension, type: 'jira:newPanel' } };
  assert.match((await realtime.session({ context })).noDefaultScope ?? 'none', /"jira:newPanel" has none/);
});

test('in Forge, the same options do not make the context trusted, also in a call after the invocation', async () => {
  const { realtime } = server();
  const platform = { appContext: { moduleKey: 'panel', environmentId: 'dev', installationId: 'one' } };
  assert.deepEqual((await inForge(platform, () => realtime.session({ context: PAGE }))).context, {
    module: 'panel',
  });
  await assert.rejects(
    realtime.session({ context: PAGE }),
    isError('INVALID_ARGUMENT', /The environment of the app is unknown/),
  );
  const later = { ...PAGE, environmentId: 'dev' };
  assert.deepEqual((await realtime.session({ context: later })).context, {});
});

test('a server of the app can leave every property to authorize', async () => {
  const { realtime } = server({ trustUnsignedContext: false });
  assert.deepEqual((await realtime.session({ context: PAGE })).context, {});
});
