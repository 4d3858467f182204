// The scopes that a resolver publishes to: each rests on the word of the platform or of authorize(), and never on that of
// the call.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { publish as defaultPublish, wrap } from '../../src/resolver.js';
import {
  claimedContextApp as app,
  GADGET,
  IN_DASHBOARD,
  PANEL,
  settings,
} from '../support/claimed-context-app.js';
import { inForge } from '../support/forge-runtime.js';
import { fakeRelay } from '../support/relay.js';
import { isError } from '../support/rejects.js';

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
