// The environments of an app on one site are separate installations, in tokens, channels, keys and secrets.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { wrap, type RealtimeOptions } from '../../src/resolver.js';
import type { InstallationSecret } from '../../src/core/resolver-core.js';
import { INSTALLED, inForge, type Runtime } from '../support/forge-runtime.js';
import { claimsOf, fakeRelay, SIGNING_KEY } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const settings = { url: 'wss://relay.example', app: 'app-1', signingKey: SIGNING_KEY };
const SITE = 'ari:cloud:jira::site/1';
const PAGE = {
  installContext: SITE,
  accountId: 'ada',
  moduleKey: 'm',
  extension: { type: 'jira:globalPage' },
};

function backend(environment?: string, more: Partial<RealtimeOptions> = {}) {
  const { fetch, posted } = fakeRelay();
  const stored = new Map<string, InstallationSecret>();
  const secrets = {
    read: async (installation: string) => stored.get(installation),
    create: async (installation: string, secret: InstallationSecret) =>
      stored.set(installation, secret).get(installation)!,
    replace: async (installation: string, secret: InstallationSecret) =>
      void stored.set(installation, secret),
  };
  const options = {
    ...settings,
    secrets,
    fetch,
    authorize: () => true,
    ...(environment && { environment }),
    ...more,
  };
  const bearer = (): string =>
    claimsOf(posted.at(-1)!.headers['authorization']!.slice('Bearer '.length))['ins'];
  return { realtime: createRealtime(options), stored, bearer, posted };
}

test('every function of an installation says the same installation, with its environment', async () => {
  const { realtime, stored, bearer } = backend();
  const seen: unknown[] = [];
  const each: [what: string, platform: Runtime, run: () => Promise<unknown>][] = [
    [
      'a page',
      { appContext: { moduleKey: 'm' } },
      async () => claimsOf((await realtime.session({ context: PAGE })).token)['ins'],
    ],
    [
      'a resolver',
      { appContext: { moduleKey: 'm' } },
      () => realtime.publishGlobal('n', 'x', { context: PAGE }).then(bearer),
    ],
    [
      'a channel token',
      {},
      async () =>
        claimsOf((await realtime.signRealtimeToken('n', {}, undefined, { context: PAGE })).token!)['ins'],
    ],
    // These are the contexts of a consumer, a product trigger, a scheduled trigger and a web trigger, and no context.
    ...(
      [{ installContext: SITE, principal: {} }, { installContext: SITE, workspaceId: 'w' }, {}] as const
    ).map((context): [string, Runtime, () => Promise<unknown>] => [
      JSON.stringify(context),
      { appContext: { moduleKey: 'other' } },
      () => realtime.publish('n', 'x', { context, scope: { issue: '7' } }).then(bearer),
    ]),
    [
      'a wrapped consumer',
      {},
      () =>
        wrap(async (_event: object, _context: object) => realtime.publishGlobal('n', 'x'))(
          {},
          { installContext: SITE },
        ).then(bearer),
    ],
    ['a function that is not wrapped', {}, () => realtime.publishGlobal('n', 'x').then(bearer)],
    ['disconnect', {}, () => realtime.disconnect({ accountId: 'ada' }, { context: PAGE }).then(bearer)],
    ['rotateKey', {}, async () => (await realtime.rotateKey(), [...stored.keys()].join())],
  ];
  for (const [what, platform, run] of each) {
    const installation = await inForge(platform, run);
    assert.equal(installation, INSTALLED, what);
    seen.push(installation);
  }
  assert.deepEqual([...stored.keys()], [INSTALLED]);
});

test('two environments of one app on one site share neither channels nor secrets', async () => {
  const { realtime, stored } = backend();
  const grant = (environmentId: string, installationId?: string) =>
    inForge({ appContext: { moduleKey: 'm', environmentId, installationId } }, () =>
      realtime.session({ context: PAGE }),
    );
  const grants = [
    await grant('dev', 'one'),
    await grant('prod', 'two'),
    await grant('dev'),
    await grant('prod'),
  ];
  assert.equal(new Set(grants.map(({ installation }) => installation)).size, 4);
  assert.equal(stored.size, 4);
  assert.deepEqual(
    grants.map(({ installation, token }) => claimsOf(token)['ins'] === installation),
    [true, true, true, true],
  );
});

test('the error for a runtime without an environment says what to do', async () => {
  const { realtime } = backend('test');
  const unknown = { appContext: { moduleKey: 'm', environmentId: undefined, installationId: undefined } };
  await assert.rejects(
    inForge(unknown, () => realtime.session({ context: PAGE })),
    isError('INVALID_ARGUMENT', /does not say which environment.*environmentId/),
  );
});

test('outside of Forge the context or the option names the environment, and a process without both fails', async () => {
  // Without the option signingKey, the process does not count as a server of the app's own.
  process.env['SEALWIRE_SIGNING_KEY'] = SIGNING_KEY;
  const installed = async (context: object, environment?: string) =>
    (
      await backend(environment, { signingKey: undefined } as object).realtime.session({
        context: { ...PAGE, ...context },
      })
    ).installation;
  assert.equal(await installed({}, 'test'), `${SITE}#test`);
  assert.equal(await installed({ environmentId: 'dev' }), `${SITE}#dev`);
  assert.equal(await installed({ environmentId: 'dev' }, 'test'), `${SITE}#dev`);
  assert.equal(
    await installed({ installation: { ari: { installationId: 'i' } } }),
    'ari:cloud:ecosystem::installation/i',
  );
  await assert.rejects(
    installed({}),
    isError('INVALID_ARGUMENT', /The environment of the app is unknown.*createRealtime\(\{ environment/),
  );
  await assert.rejects(
    installed({ environmentId: '\ud800' }),
    isError('INVALID_ARGUMENT', /is not well-formed Unicode/),
  );
  for (const environment of ['', 7 as never]) {
    assert.throws(
      () => createRealtime({ authorize: () => true, environment }),
      isError('INVALID_ARGUMENT', /environment/),
    );
  }
});
