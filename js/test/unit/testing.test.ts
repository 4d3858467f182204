import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import type { ForgeContext } from '../../src/context/properties.js';
import type { Realtime } from '../../src/index.js';
import { Jira, SealwireError } from '../../src/index.js';
import { createTestRelay } from '../../src/testing.js';
import { isError } from '../support/rejects.js';

const context = { moduleKey: 'panel', extension: { issue: { id: '7' }, project: { id: '3' } } };

/** Subscribes, and records payloads and the codes of errors. */
async function heardOn(page: Realtime, channel: string, options = {}): Promise<unknown[]> {
  const heard: unknown[] = [];
  await page.subscribe(channel, (payload, error) => heard.push(error ? error.code : payload), options);
  return heard;
}

test('a page without options works, and every message is delivered once the relay has settled', async () => {
  const relay = createTestRelay();
  const heard = await heardOn(relay.realtime(), 'n');
  await relay.realtime().publish('n', { a: 1 });
  await relay.settled();
  assert.deepEqual(heard, [{ a: 1 }]);
});

test('publications can be inspected', async () => {
  const relay = createTestRelay({ now: () => 1_700_000_000_000 });
  const page = relay.realtime({ context, accountId: 'ada' });
  const resolver = relay.resolver();
  const inProject = { contextOverrides: [Jira.Project] };
  const { eventId } = await page.publish('n', { a: 1 }, { ...inProject, eventName: 'added' });
  const site = { ...context, installContext: 'ari:1' };
  const { token } = await resolver.signRealtimeToken('m', { team: 'blue' }, undefined, { context: site });
  await resolver.publish('m', 'text', { context: site, token: token! });
  const [first, second] = relay.published();
  assert.deepEqual(first, {
    eventId,
    timestamp: 1_700_000_000_000,
    channel: 'n',
    scope: { project: '3' },
    eventName: 'added',
    payload: { a: 1 },
    from: 'page',
    accountId: 'ada',
  });
  assert.deepEqual([second!.claims, second!.payload, second!.from], [{ team: 'blue' }, 'text', 'resolver']);
  assert.deepEqual(relay.published('m'), [second]);
});

test('pages are cut off one by one or together', async () => {
  const relay = createTestRelay();
  const [ada, ben] = [relay.realtime(), relay.realtime()];
  const heard = [await heardOn(ada, 'n'), await heardOn(ben, 'n')];
  relay.cut(ada);
  assert.deepEqual([ada.state, ben.state], ['reconnecting', 'connected']);
  await ben.publish('n', 'one');
  await relay.settled();
  assert.deepEqual(heard, [[], ['one']]);
  relay.mend();
  await relay.settled();
  assert.deepEqual(heard, [['one'], ['one']]);
  assert.throws(() => relay.cut(createTestRelay().realtime()), isError('INVALID_ARGUMENT', /not one of/));
});

test('forgotten messages and a restart cause gaps', async () => {
  const relay = createTestRelay();
  const [ada, ben] = [relay.realtime(), relay.realtime()];
  const heard = await heardOn(ada, 'n');
  relay.cut(ada);
  await ben.publish('n', 'lost');
  relay.forget();
  relay.mend(ada);
  await relay.settled();
  await ben.publish('n', 'one');
  await relay.settled();
  relay.restart();
  await relay.settled();
  await ben.publish('n', 'two');
  await relay.settled();
  assert.deepEqual(heard, ['GAP', 'one', 'GAP', 'two']);
});

test('expired sessions are fetched again without a loss, and expired channel tokens are renewed or end their subscriptions', async () => {
  const relay = createTestRelay();
  const resolver = relay.resolver();
  const site = { ...context, installContext: 'ari:1', accountId: 'ada' };
  const sign = async () =>
    (await resolver.signRealtimeToken('n', { a: 1 }, undefined, { context: site })).token!;
  const reasons: string[] = [];
  const session = ({ reason }: { reason: string }) => (
    reasons.push(reason),
    resolver.session({ context: site })
  );
  const page = relay.realtime({ session });
  const plain = await heardOn(page, 'n');
  const ends = await heardOn(page, 'n', { token: await sign() });
  const renewed = await heardOn(page, 'n', { token: sign });
  relay.expire();
  await relay.settled();
  assert.deepEqual(ends, ['TOKEN_EXPIRED']);
  await page.publish('n', 'plain');
  await page.publish('n', 'with claims', { token: await sign() });
  await relay.settled();
  assert.deepEqual([plain, renewed], [['plain'], ['with claims']]);
  assert.deepEqual(reasons, ['connect', 'connect']);
});

test('a session is renewed before it expires, also on a mocked clock', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_700_000_000_000 });
  try {
    const relay = createTestRelay();
    const reasons: string[] = [];
    const resolver = relay.resolver();
    const site = { ...context, installContext: 'ari:1', accountId: 'ada' };
    const page = relay.realtime({
      session: ({ reason }) => (reasons.push(reason), resolver.session({ context: site })),
    });
    const states: string[] = [];
    page.onStateChange((state) => states.push(state));
    await heardOn(page, 'n');
    for (let minute = 0; minute < 60; minute += 1) {
      mock.timers.tick(60_000);
      await relay.settled();
    }
    assert.ok(reasons.length >= 5, reasons.join());
    assert.deepEqual([...new Set(reasons.slice(1))], ['refresh']);
    assert.deepEqual(states, ['connecting', 'connected']);
  } finally {
    mock.timers.reset();
  }
});

test('errors are those of the package, and options are checked', async () => {
  const relay = createTestRelay();
  const page = relay.realtime({ context, authorize: () => ({ subscribe: true }) });
  await assert.rejects(
    page.subscribe('n', () => {}, { contextOverrides: ['board'] }),
    SealwireError,
  );
  const { errors } = await page.publish('n', 'x');
  assert.match(errors![0]!, /^PERMISSION_MISSING: /);
  await assert.rejects(page.publish('n', 7 as never), isError('INVALID_ARGUMENT', /payload/));
  assert.throws(() => createTestRelay({ replaySeconds: 121 }), isError('INVALID_ARGUMENT', /replaySeconds/));
});

test('a resolver of the test relay differs from the real one in its core only', async () => {
  const relay = createTestRelay();
  const resolver = relay.resolver({ authorize: ({ accountId }) => accountId === 'ada' });
  const site = { ...context, installContext: 'ari:1', accountId: 'ada' };
  const grant = await resolver.session({ context: site });
  assert.deepEqual(grant.context, { module: 'panel', issue: '7', project: '3' });
  await assert.rejects(resolver.session({ context: { ...site, accountId: 'ben' } }), /PERMISSION_MISSING/);
  const handler = resolver.wrap(async () => resolver.publish('n', 'from within'));
  await (handler as Function)({ call: {}, context }, { installContext: 'ari:1' });
  assert.equal(relay.published('n').length, 1);
  assert.equal((await resolver.rotateKey({ context: site })).keys, 2);
  await assert.rejects(resolver.publish('n', 'x'), isError('INVALID_ARGUMENT', /invocation is unknown/));
});

test('a revoked session is requested again, and authorize decides anew', async () => {
  const relay = createTestRelay();
  let banned = '';
  const authorize = ({ accountId }: ForgeContext) => accountId !== banned;
  const [ada, ben] = ['ada', 'ben'].map((accountId) => relay.realtime({ context, accountId, authorize }));
  const heard = [await heardOn(ada!, 'n'), await heardOn(ben!, 'n')];
  const site = { context: { ...context, installContext: 'ari:cloud:jira::site/test' } };
  const resolver = relay.resolver();
  // These sessions belong to another dashboard, to another installation, and to a user who may return.
  await resolver.disconnect({ properties: { issue: '8' } }, site);
  await resolver.disconnect('installation', { context: { ...context, installContext: 'ari:1' } });
  await relay.settled();
  assert.deepEqual([ada!.state, ben!.state], ['connected', 'connected']);
  assert.ok((await resolver.disconnect({ accountId: 'ada' }, site)).before);
  await relay.settled();
  await ben!.publish('n', 'one');
  await relay.settled();
  assert.deepEqual(heard, [['one'], ['one']]);

  banned = 'ben';
  await resolver.disconnect('installation', site);
  await relay.settled();
  assert.deepEqual([ada!.state, ben!.state], ['connected', 'idle']);
  assert.deepEqual(heard, [['one'], ['one', 'PERMISSION_MISSING']]);
});

test('a context without a type has the default scope of a page with its properties', async () => {
  const relay = createTestRelay();
  for (const [extension, scope] of [
    [undefined, { module: 'm' }],
    [{}, { module: 'm' }],
    [{ issue: { id: '7' } }, { module: 'm', issue: '7' }],
    [
      { dashboard: { id: '1' }, gadget: { id: '2' } },
      { module: 'm', dashboard: '1', gadget: '2' },
    ],
    [
      { portal: { id: 1 }, request: { key: 'SD-1' } },
      { module: 'm', portal: '1', request: 'SD-1' },
    ],
    [
      { repository: { uuid: '{r}' }, pullRequest: { id: 5 } },
      { module: 'm', repository: '{r}', pullRequest: '{r}/5' },
    ],
  ] as const) {
    const page = relay.realtime({ context: { moduleKey: 'm', ...(extension && { extension }) } });
    assert.equal((await page.publish('n', 'x')).errors, undefined);
    assert.deepEqual(relay.published('n').at(-1)!.scope, scope);
  }
});

test('the test relay follows the rules on default scopes, users and environments', async () => {
  const relay = createTestRelay();
  const unknown = { moduleKey: 'm', extension: { type: 'jira:newThing', issue: { id: '7' } } };
  const page = relay.realtime({ context: unknown });
  assert.match((await page.publish('n', 'x')).errors![0]!, /^SCOPE_REFUSED: There is no default channel/);
  assert.equal((await page.publish('n', 'x', { contextOverrides: [Jira.Issue] })).errors, undefined);
  const anonymous = relay.realtime({ accountId: 'unidentified' });
  assert.match((await anonymous.publish('n', 'x')).errors![0]!, /^PERMISSION_MISSING: .*'anonymous'/);

  const heard = await heardOn(relay.realtime({ context: { ...context, environmentId: 'dev' } }), 'n');
  await relay.realtime({ context: { ...context, environmentId: 'prod' } }).publish('n', 'of production');
  await relay.settled();
  assert.deepEqual(heard, []);
});

test('a test may leave the context to authorize, as Forge does', async () => {
  const relay = createTestRelay();
  const resolver = relay.resolver({
    trustUnsignedContext: false,
    authorize: ({ accountId }) => (accountId === 'ada' ? { properties: ['issue'] } : true),
  });
  const ada = relay.realtime({ context, accountId: 'ada', resolver });
  assert.equal((await ada.publish('n', 'x', { contextOverrides: [Jira.Issue] })).errors, undefined);
  assert.match((await ada.publish('n', 'x')).errors![0]!, /^SCOPE_REFUSED/);
  const ben = relay.realtime({ context, accountId: 'ben', resolver });
  const { errors } = await ben.publish('n', 'x', { contextOverrides: [Jira.Issue] });
  assert.match(errors![0]!, /^SCOPE_REFUSED: .*no property 'issue'.*let authorize\(\) check/);
});
