// Sessions and publications rest on the word of the platform or of the app, and never on the call's.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import ForgeResolver from '@forge/resolver';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import type { Authorize, RealtimeOptions } from '../../src/backend/options.js';
import { property, publish as defaultPublish, wrap } from '../../src/resolver.js';
import { contextToken, inForge, type Runtime } from '../support/forge-runtime.js';
import { keysIn } from '../support/key-holder.js';
import { claimsOf, fakeKvs, fakeRelay, SIGNING_KEY } from '../support/relay.js';
import { isError } from '../support/rejects.js';

// A CommonJS package: Node gives its exports as the default.
const Resolver = (ForgeResolver as unknown as { default: typeof ForgeResolver }).default ?? ForgeResolver;

const GADGET = { type: 'jira:dashboardGadget', dashboard: { id: '10001' }, gadget: { id: '1' } };
const PANEL = { type: 'jira:issuePanel', issue: { id: '7' }, project: { id: '3' } };

const settings = { url: 'wss://relay.example', app: 'app-1', signingKey: SIGNING_KEY };

/** An app as the README shows it, on a platform that lets a caller bring any context. */
function app(authorize: Authorize, over: Partial<RealtimeOptions> = {}) {
  const { fetch, posted } = fakeRelay();
  const kvs = fakeKvs();
  const secrets = forgeSecrets(async () => kvs);
  const asked: unknown[] = [];
  const realtime = createRealtime({
    authorize: (context) => (asked.push(context['accountId']), authorize(context)),
    ...settings,
    secrets,
    fetch,
    ...over,
  });
  const resolver = new Resolver();
  resolver.define('sealwire:session', realtime.session);
  resolver.define('publish', async ({ payload }) => {
    const results = [];
    for (const options of payload.each) results.push(await realtime.publish('n', 'x', options));
    return results;
  });
  resolver.define('scope', async ({ payload }) => realtime.scope(payload));
  const handler = realtime.wrap(resolver.getDefinitions());
  const invoke = (functionKey: string, context: object, platform: Runtime = {}, payload: object = {}) =>
    inForge({ appContext: { moduleKey: 'm' }, aaid: 'ada', ...platform }, () =>
      handler(
        { call: { functionKey, payload }, context: { moduleKey: 'm', ...context } },
        { installContext: 'ari:cloud:jira::site/1', principal: { accountId: 'ada' } },
      ),
    ) as Promise<any>;
  return {
    realtime,
    invoke,
    asked,
    session: (context: object, platform?: Runtime) => invoke('sealwire:session', context, platform),
    publish: (context: object, each: object[], platform?: Runtime) =>
      invoke('publish', context, platform, { each }),
    scopes: () => posted.map(({ messages }) => messages[0]!['scope']),
  };
}

const IN_DASHBOARD = { contextOverrides: ['dashboard'] };

test('a context that nobody vouches for grants nothing but the module, and says what to do', async () => {
  const { session } = app(() => true);
  const grant = await session({ extension: GADGET });
  assert.deepEqual(grant.context, { module: 'm' });
  assert.deepEqual(claimsOf(grant.token)['ctx'], { module: 'm' });
  assert.match(grant.noDefaultScope, /no default channel/);
  assert.match(grant.scopeHint, /dashboard, gadget.*let authorize\(\) check.*\{ properties \}/);
});

test('a session has the properties that authorize has verified, and keys for those alone', async () => {
  const { session } = app(() => ({ properties: ['dashboard'] }));
  const grant = await session({ extension: GADGET });
  assert.deepEqual(grant.context, { dashboard: '10001' });
  // A key for each subset of one property: the installation-wide scope and the dashboard's.
  for (const key of grant.keys) assert.equal(keysIn(key.scopes).length, 2);
  assert.match(grant.noDefaultScope, /needs the property 'module'/);
  const whole = app(() => ({
    properties: ['module', 'dashboard', 'gadget'],
    publish: false,
    subscribe: true,
  }));
  const { context, token, noDefaultScope } = await whole.session(
    { extension: GADGET },
    { appContext: { moduleKey: 'm', moduleType: 'jira:dashboardGadget' } },
  );
  assert.deepEqual(context, { module: 'm', dashboard: '10001', gadget: '1' });
  assert.deepEqual([claimsOf(token)['can'], noDefaultScope], [['subscribe'], undefined]);
});

test('authorize cannot grant a property that the context does not have', async () => {
  const { session } = app(() => ({ properties: ['dashboard', 'issue'] }));
  await assert.rejects(
    session({ extension: GADGET }),
    isError(
      'INVALID_ARGUMENT',
      /returned the property 'issue', which the context does not have.*module, dashboard, gadget/,
    ),
  );
});

test('signed properties are granted without authorize', async () => {
  const { session, publish, asked, scopes } = app(() => true);
  const signed = { moduleKey: 'm', extension: PANEL, accountId: 'ada' };
  const grant = await session({ extension: PANEL }, { signed });
  assert.deepEqual(grant.context, { module: 'm', project: '3', issue: '7' });
  assert.deepEqual([grant.noDefaultScope, grant.scopeHint], [undefined, undefined]);
  await publish({ extension: PANEL }, [{}, { contextOverrides: ['issue'] }], { signed });
  assert.deepEqual(scopes(), [{ module: 'm', project: '3', issue: '7' }, { issue: '7' }]);
  assert.equal(asked.length, 2, 'one session, and one default channel');
});

test('a signed context vouches for no property that it lacks', async () => {
  const { session } = app(() => true);
  const signed = { moduleKey: 'm', extension: { type: 'jira:dashboardGadget' } };
  assert.deepEqual((await session({ extension: GADGET }, { signed })).context, { module: 'm' });
});

test('a call that contradicts the platform gets no session and publishes nothing', async () => {
  const { session, publish, scopes } = app(() => ({ properties: ['module'] }));
  const signed = { moduleKey: 'm', extension: PANEL };
  for (const [what, context, platform] of [
    ['issue', { extension: { ...PANEL, issue: { id: '8' } } }, { signed }],
    ['project', { extension: { ...PANEL, project: { id: '4' } } }, { signed }],
    ["module's type", { extension: { ...PANEL, type: 'jira:globalPage' } }, { signed }],
    ['module', { moduleKey: 'admin', extension: PANEL }, { signed }],
    ['module', { moduleKey: 'admin', extension: PANEL }, {}],
    ["module's type", { extension: PANEL }, { appContext: { moduleKey: 'm', moduleType: 'jira:adminPage' } }],
    ['environment', { environmentId: 'production' }, {}],
    ['installation', { extension: PANEL }, { signed: { ...signed, installationId: 'another' } }],
    ['account', { extension: PANEL }, { signed: { ...signed, accountId: 'ben' } }],
  ] as const) {
    const refusal = isError('SCOPE_REFUSED', new RegExp(`names another ${what} than the platform`));
    await assert.rejects(session(context, platform), refusal, what);
    await assert.rejects(publish(context, [{}], platform), refusal, what);
  }
  assert.deepEqual(scopes(), []);
});

test('another name of the platform for a module type is not a contradiction', async () => {
  const { session } = app(() => ({ properties: ['module', 'issue'] }));
  for (const moduleType of ['function', 'core:function', 'xen:macro', '']) {
    const grant = await session({ extension: PANEL }, { appContext: { moduleKey: 'm', moduleType } });
    assert.deepEqual(grant.context, { module: 'm', issue: '7' });
  }
});

test('an unreadable token vouches for nothing', async () => {
  const { session } = app(() => true);
  const some = contextToken({ moduleKey: 'm', extension: PANEL });
  for (const token of [
    'undefined',
    '',
    'a.b.c',
    some.split('.')[0]!,
    `.${Buffer.from('{}').toString('base64url')}.`,
  ]) {
    const grant = await session({ extension: PANEL }, { contextToken: token });
    assert.deepEqual(grant.context, { module: 'm' }, token);
  }
});

test('an expired token vouches for nothing', async () => {
  const { session } = app(() => true);
  const now = Math.floor(Date.now() / 1000);
  const until = async (exp: number) =>
    (await session({ extension: PANEL }, { signed: { moduleKey: 'm', extension: PANEL, exp } })).context;
  assert.deepEqual(await until(now - 90), { module: 'm' });
  assert.deepEqual(await until(now - 30), { module: 'm', project: '3', issue: '7' });
});

test('the account is the one that the platform names', async () => {
  const { session } = app(() => true);
  await assert.rejects(session({}, { aaid: 'ben' }), isError('PERMISSION_MISSING', /account of the call/));
});

test('a forged context is published nowhere: authorize is asked, and says no', async () => {
  const { publish, scopes } = app(({ extension }) =>
    (extension as typeof GADGET).dashboard.id === '10001' ? { properties: ['dashboard'] } : false,
  );
  const forged = { ...GADGET, dashboard: { id: '42-restricted' } };
  const [first] = await publish({ extension: forged }, [IN_DASHBOARD]);
  assert.equal(first.errors[0].code, 'PERMISSION_MISSING');
  assert.deepEqual(scopes(), []);
  const [own] = await publish({ extension: GADGET }, [IN_DASHBOARD]);
  assert.equal(own.errors, undefined);
  assert.deepEqual(scopes(), [{ dashboard: '10001' }]);
});

test('if authorize verifies nothing, a claimed scope is refused with advice', async () => {
  const { publish, scopes } = app(() => true);
  await assert.rejects(
    publish({ extension: GADGET }, [IN_DASHBOARD]),
    isError('SCOPE_REFUSED', /Nobody vouches for the property 'dashboard'.*let authorize\(\) check/),
  );
  await assert.rejects(publish({ extension: GADGET }, [{}]), isError('SCOPE_REFUSED', /no default channel/));
  assert.deepEqual(scopes(), []);
});

test('authorize is called once per invocation, and only if its decision matters', async () => {
  const { publish, asked, scopes } = app(() => ({ properties: ['dashboard'] }));
  await publish({ extension: GADGET }, [IN_DASHBOARD, IN_DASHBOARD, IN_DASHBOARD]);
  assert.deepEqual([asked.length, scopes().length], [1, 3]);
  await publish({ extension: GADGET }, [IN_DASHBOARD]);
  assert.equal(asked.length, 2);
  await publish({ extension: GADGET }, [{ contextOverrides: [] }, { scope: { issue: '9' } }]);
  assert.equal(asked.length, 2);
});

test('a failed authorize grants nothing, is reported, and is called again', async () => {
  let attempts = 0;
  const { publish, scopes } = app(() => {
    attempts += 1;
    if (attempts === 1) throw new Error('Jira is down');
    return { properties: ['dashboard'] };
  });
  const [first, second] = await publish({ extension: GADGET }, [IN_DASHBOARD, IN_DASHBOARD]);
  assert.equal(first.errors[0].code, 'SESSION_UNAVAILABLE');
  assert.match(first.errors[0].message, /authorize\(\) failed: Jira is down/);
  assert.equal(second.errors, undefined);
  assert.deepEqual(scopes(), [{ dashboard: '10001' }]);
});

test('a user whom authorize refuses may cause a message to a scope that the platform vouches for', async () => {
  const { publish, scopes } = app(() => false);
  const signed = { moduleKey: 'm', extension: PANEL };
  await publish({ extension: PANEL }, [{}], { signed });
  assert.deepEqual(scopes(), [{ module: 'm', project: '3', issue: '7' }]);
});

test('a job carries the verified scope, and a consumer publishes to it without another check', async () => {
  const { realtime, invoke, asked, scopes } = app(() => ({ properties: ['dashboard'] }));
  const scope = await invoke('scope', { extension: GADGET }, {}, IN_DASHBOARD);
  assert.deepEqual(scope, { dashboard: '10001' });
  const consumer = wrap(async (_event: object, _context: object) => realtime.publish('n', 'x', { scope }));
  const { errors } = await inForge({ appContext: { moduleKey: 'consumer' } }, () =>
    consumer({}, { installContext: 'ari:cloud:jira::site/1' }),
  );
  assert.equal(errors, undefined);
  assert.deepEqual([scopes(), asked.length], [[{ dashboard: '10001' }], 1]);
});

test('the functions in place of @forge/realtime’s publish to scopes that Atlassian signed', async () => {
  const { fetch, posted } = fakeRelay();
  globalThis.fetch = fetch;
  Object.assign(process.env, {
    SEALWIRE_URL: settings.url,
    SEALWIRE_APP: settings.app,
    SEALWIRE_SIGNING_KEY: settings.signingKey,
  });
  const { installForgeStorage } = await import('../support/forge-storage.js');
  installForgeStorage();
  const handler = wrap(async (_call: object, _runtime: object) => defaultPublish('n', 'x'));
  const call = { call: { functionKey: 'f' }, context: { moduleKey: 'm', extension: PANEL } };
  const runtime = { installContext: 'ari:cloud:jira::site/1', principal: { accountId: 'ada' } };
  const platform = { appContext: { moduleKey: 'm' }, aaid: 'ada' };
  const signed = { moduleKey: 'm', extension: PANEL };
  assert.equal((await inForge({ ...platform, signed }, () => handler(call, runtime))).errors, undefined);
  assert.deepEqual(posted.at(-1)!.messages[0]!['scope'], { module: 'm', project: '3', issue: '7' });
  await assert.rejects(
    inForge(platform, () => handler(call, runtime)),
    isError('SCOPE_REFUSED', /no default channel/),
  );
});

test('properties that the app states are granted, and make a default scope if the type has none', async () => {
  const portal = { type: 'jira:newThing', request: { key: 'SD-1' } };
  const { session, publish, scopes } = app(() => true, {
    properties: async ({ extension }) => ({
      request: (extension as typeof portal).request.key,
      team: undefined,
    }),
  });
  const grant = await session({ extension: portal });
  assert.deepEqual([grant.context, grant.noDefaultScope], [{ module: 'm', request: 'SD-1' }, undefined]);
  await publish({ extension: portal }, [{}, { contextOverrides: [property('request')] }]);
  assert.deepEqual(scopes(), [{ module: 'm', request: 'SD-1' }, { request: 'SD-1' }]);
});

test('properties that the app states may neither contradict the context nor exceed the limits', async () => {
  for (const [properties, message] of [
    [() => ({ dashboard: '2' }), /another value for 'dashboard' than the context has/],
    [() => ({ module: 'other' }), /another value for 'module'/],
    [() => ({ 'a team': 'blue' }), /name has 1 to 64/],
    [() => ({ team: 'x'.repeat(257) }), /'team' must have 1 to 256 bytes, not 257/],
    [() => ({ team: '' }), /'team' must have 1 to 256 bytes, not 0/],
    [() => ({ team: '\ud800' }), /'team' is not well-formed/],
    [() => ({ team: 7 as never }), /'team' must be a string, not number/],
    [() => ({ toString: 'x' }) as never, /'toString' is a name that every object has/],
    [() => ['team'] as never, /must be an object.*not an array/],
    [() => undefined as never, /must be an object.*not undefined/],
  ] as const) {
    const { session } = app(() => true, { properties });
    await assert.rejects(
      session({ extension: GADGET }),
      isError('INVALID_ARGUMENT', message),
      String(properties),
    );
  }
  const failing = app(() => true, { properties: () => Promise.reject(new Error('no database')) });
  await assert.rejects(
    failing.session({ extension: GADGET }),
    isError('SESSION_UNAVAILABLE', /option properties failed: no database/),
  );
  const many = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`p${n}`, 'v']));
  const full = app(() => true, { properties: () => many });
  await assert.rejects(
    full.session({ extension: GADGET }),
    isError('SCOPE_REFUSED', /9 properties; a session has at most 8.*\{ properties \}/),
  );
});

test('authorize decides about the properties that the app states, too', async () => {
  const { session } = app(() => ({ properties: ['dashboard'] }), { properties: () => ({ team: 'blue' }) });
  assert.deepEqual((await session({ extension: GADGET })).context, { dashboard: '10001' });
});

test('a page that shows the user’s own data is scoped to the account, and to no other account', async () => {
  const { session, publish, scopes } = app(() => true);
  const extension = { type: 'jira:personalSettingsPage' };
  const grant = await session({ extension }, { signed: { moduleKey: 'm', extension } });
  assert.deepEqual([grant.context, grant.noDefaultScope], [{ module: 'm', account: 'ada' }, undefined]);
  const signed = { moduleKey: 'm', extension };
  await publish({ extension }, [{}], { signed });
  const bens = { moduleKey: 'm', extension, accountId: 'ben' };
  await assert.rejects(
    publish({ extension }, [{ context: bens }], { signed }),
    isError('SCOPE_REFUSED', /needs the property 'account'/),
  );
  assert.deepEqual(scopes(), [{ module: 'm', account: 'ada' }]);
});
