// The properties of a session: each rests on the word of the platform or of authorize(), and never on that of the call.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { claimedContextApp as app, GADGET, PANEL } from '../support/claimed-context-app.js';
import { contextToken } from '../support/forge-runtime.js';
import { keysIn } from '../support/key-holder.js';
import { claimsOf } from '../support/relay.js';
import { isError } from '../support/rejects.js';

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
