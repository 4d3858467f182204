// The app's own handler with the test relay: relay.invoke(), the page's option handler, and relay.run().

import assert from 'node:assert/strict';
import { test } from 'node:test';

import ForgeResolver from '@forge/resolver';

import { Jira, type RealtimeEvent, type SealwireError } from '../../src/index.js';
import { createRealtime, publishGlobal, wrap, type ForgeContext } from '../../src/resolver.js';
import { createTestRelay } from '../../src/testing.js';
import { isError } from '../support/rejects.js';

// A CommonJS package: Node returns its exports as the default export.
const Resolver = (ForgeResolver as unknown as { default: typeof ForgeResolver }).default ?? ForgeResolver;

/** Returns an app as its author writes it, without code for tests. */
function app() {
  const asked: ForgeContext[] = [];
  const realtime = createRealtime({
    authorize: (context) => {
      asked.push(context);
      return context.accountId === 'ben' ? { subscribe: true } : true;
    },
  });
  const resolver = new Resolver();
  resolver.define('sealwire:session', realtime.session);
  resolver.define('addNote', async ({ payload, context }) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const scope = await realtime.scope({ contextOverrides: [Jira.Issue] });
    const { errors } = await realtime.publish('notes', { by: context['accountId'], ...payload });
    return { scope, errors, moduleKey: context['moduleKey'], site: context['installContext'] };
  });
  resolver.define('tellAll', () => publishGlobal('news', 'for everyone'));
  resolver.define('token', async () => realtime.signRealtimeToken('team', { team: 'blue' }));
  resolver.define('ban', ({ payload }) => realtime.disconnect({ accountId: payload.accountId }));
  resolver.define('fail', () => {
    throw new TypeError('of the app');
  });
  resolver.define('text', () => 'plain');
  const consumer = realtime.wrap(async (event: { body: object }, _context: { installContext: string }) =>
    realtime.publish('notes', event.body, { scope: { issue: '7' } }),
  );
  return { handler: realtime.wrap(resolver.getDefinitions()), resolver, consumer, asked };
}

const context = (issue: string) => ({ moduleKey: 'panel', extension: { issue: { id: issue } } });

test("a function of the app's handler runs with the page's context and account, and its messages arrive", async () => {
  const { handler, asked } = app();
  const relay = createTestRelay();
  const ada = relay.realtime({ context: context('7'), accountId: 'ada', handler });
  const ben = relay.realtime({ context: context('7'), accountId: 'ben', handler });
  const other = relay.realtime({ context: context('8'), accountId: 'ben', handler });
  const heard: unknown[] = [];
  const elsewhere: unknown[] = [];
  await ben.subscribe('notes', (note) => heard.push(note));
  await other.subscribe('notes', (note) => elsewhere.push(note));
  const answer = await relay.invoke(handler, 'addNote', { text: 'hello', at: new Date(0) }, ada);
  await relay.settled();
  assert.deepEqual(answer, { scope: { issue: '7' }, moduleKey: 'panel', site: relay.installation });
  assert.deepEqual(heard, [{ by: 'ada', text: 'hello', at: '1970-01-01T00:00:00.000Z' }]);
  assert.deepEqual(elsewhere, []);
  const [published] = relay.published('notes');
  assert.deepEqual([published!.from, published!.scope], ['resolver', { module: 'panel', issue: '7' }]);
  // The handler provided the sessions, so its authorize() decides.
  assert.deepEqual([...new Set(asked.map(({ accountId }) => accountId))].sort(), ['ada', 'ben']);
  const { errors } = await ben.publish('notes', 'x');
  assert.match(errors![0]!, /^PERMISSION_MISSING/);
});

test('concurrent invocations are isolated', async () => {
  const { handler } = app();
  const relay = createTestRelay();
  const pages = ['1', '2', '3'].map((issue) => relay.realtime({ context: context(issue), accountId: issue }));
  const answers = await Promise.all(pages.map((page) => relay.invoke(handler, 'addNote', {}, page)));
  assert.deepEqual(
    answers.map(({ scope }) => scope.issue),
    ['1', '2', '3'],
  );
});

test('two relays are isolated, and need no variable and no storage', async () => {
  const { handler } = app();
  const relays = [createTestRelay(), createTestRelay({ installation: 'ari:cloud:jira::site/mine' })];
  for (const relay of relays) await relay.invoke(handler, 'tellAll');
  await relays[1]!.invoke(handler, 'tellAll');
  assert.deepEqual(
    relays.map((relay) => relay.published().length),
    [1, 2],
  );
  assert.equal(relays[1]!.installation, 'ari:cloud:jira::site/mine');
  const { token } = await relays[0]!.invoke(handler, 'token');
  const page = relays[0]!.realtime();
  await page.subscribe('team', () => {}, { token });
  assert.equal((await relays[0]!.invoke(handler, 'ban', { accountId: 'x' })).errors, undefined);
});

test("a page's authorize replaces the app's, which may need a product", async () => {
  const resolver = new Resolver();
  const realtime = createRealtime({
    authorize: () => {
      throw new Error('there is no Jira here');
    },
  });
  resolver.define('sealwire:session', realtime.session);
  resolver.define('addNote', () => realtime.publish('notes', 'hello'));
  const handler = realtime.wrap(resolver.getDefinitions());
  const relay = createTestRelay();
  const page = relay.realtime({
    context: context('7'),
    handler,
    authorize: () => ({ properties: ['module', 'issue'] }),
  });
  const heard: unknown[] = [];
  await page.subscribe('notes', (note) => heard.push(note));
  await relay.invoke(handler, 'addNote', undefined, page);
  await relay.settled();
  assert.deepEqual(heard, ['hello']);
  const without = relay.realtime({ context: context('7'), handler });
  await assert.rejects(
    without.subscribe('notes', () => {}, { timeoutMs: 100 }),
    isError('SESSION_UNAVAILABLE', /there is no Jira here/),
  );
});

test('the result or exception of the function is returned, and a wrong call is refused', async () => {
  const { handler, resolver } = app();
  const relay = createTestRelay();
  await assert.rejects(relay.invoke(handler, 'fail'), new TypeError('of the app'));
  await assert.rejects(relay.invoke(handler, 'none'), /no definition for 'none'/);
  assert.equal(await relay.invoke(handler, 'text'), 'plain');
  await assert.rejects(
    relay.invoke(undefined as never, 'text'),
    isError('INVALID_ARGUMENT', /handler must be a function/),
  );
  await assert.rejects(
    relay.invoke(handler, ''),
    isError('INVALID_ARGUMENT', /function's name must be a text/),
  );
  const foreign = createTestRelay().realtime();
  await assert.rejects(
    relay.invoke(handler, 'text', {}, foreign),
    isError('INVALID_ARGUMENT', /not one of this test relay/),
  );
  // Without wrap(), publish() does not know the invocation, as on the platform.
  await assert.rejects(
    relay.invoke(resolver.getDefinitions(), 'addNote', {}, relay.realtime({ context: context('7') })),
    isError('INVALID_ARGUMENT', /Export wrap\(resolver\.getDefinitions\(\)\)/),
  );
  assert.throws(
    () => relay.realtime({ handler, resolver: relay.resolver() }),
    isError('INVALID_ARGUMENT', /exclude/),
  );
  assert.throws(
    () => createTestRelay({ installation: '' }),
    isError('INVALID_ARGUMENT', /installation must be/),
  );
});

test('a consumer of the app runs with the test relay', async () => {
  const { consumer } = app();
  const relay = createTestRelay();
  const page = relay.realtime({ context: context('7') });
  const heard: unknown[] = [];
  await page.subscribe('notes', (note) => heard.push(note), { contextOverrides: [Jira.Issue] });
  const { eventId } = await relay.run(() =>
    consumer({ body: { text: 'later' } }, { installContext: relay.installation }),
  );
  await relay.settled();
  assert.ok(eventId);
  assert.deepEqual(heard, [{ text: 'later' }]);
  assert.throws(() => relay.run('x' as never), isError('INVALID_ARGUMENT', /must be a function/));
});

test('a resolver of the test relay keeps its own options when it is invoked', async () => {
  const relay = createTestRelay();
  const realtime = relay.resolver({
    trustUnsignedContext: false,
    authorize: () => ({ properties: ['issue'] }),
  });
  const resolver = new Resolver();
  resolver.define('scope', () => realtime.scope({ contextOverrides: [Jira.Project] }));
  const handler = wrap(resolver.getDefinitions());
  const page = relay.realtime({
    context: { moduleKey: 'm', extension: { issue: { id: '7' }, project: { id: '3' } } },
  });
  await assert.rejects(relay.invoke(handler, 'scope', {}, page), isError('SCOPE_REFUSED', /vouches/));
});

test('contexts without an installation belong to the installation of the relay', async () => {
  const relay = createTestRelay({ installation: 'ari:cloud:jira::site/mine' });
  const page = relay.realtime();
  const heard: unknown[] = [];
  await page.subscribeGlobal('news', (news) => heard.push(news));
  await relay.resolver().publishGlobal('news', 'one', { context: {} });
  await relay
    .resolver()
    .publishGlobal('news', 'other', { context: { installContext: 'ari:cloud:jira::site/x' } });
  await relay.settled();
  assert.deepEqual(heard, ['one']);
});

test('a message of a function has its sender, and a subscription to functions refuses the message of a page', async () => {
  const { handler, consumer } = app();
  const relay = createTestRelay();
  const ada = relay.realtime({ context: context('7'), accountId: 'ada', handler });
  const strict: unknown[] = [];
  const senders: unknown[] = [];
  await ada.subscribe('notes', (_note, error, event) => strict.push(error?.code ?? event?.sender), {
    senders: 'function',
    contextOverrides: [Jira.Issue],
  });
  await ada.subscribe('notes', (_note, _error, event) => senders.push(event?.sender), {
    contextOverrides: [Jira.Issue],
  });
  await relay.run(() => consumer({ body: { text: 'hello' } }, { installContext: relay.installation }));
  await ada.publish('notes', { text: 'of a page' }, { contextOverrides: [Jira.Issue] });
  await relay.settled();
  assert.deepEqual(senders, [{ kind: 'function' }, undefined]);
  assert.deepEqual(strict, [{ kind: 'function' }, 'SENDER_UNVERIFIED']);
  const wrong = ada.subscribe('notes', () => {}, { senders: 'page' as never });
  await assert.rejects(wrong, isError('INVALID_ARGUMENT', /senders must be 'any', 'verified' or 'function'/));
});

test('a page that signs has its account as sender, and a subscription to verified senders takes it', async () => {
  const relay = createTestRelay();
  const ada = relay.realtime({ accountId: 'ada', signed: true });
  const heard: Record<string, unknown[]> = { any: [], verified: [], function: [] };
  for (const senders of ['any', 'verified', 'function'] as const) {
    const callback = (_note: unknown, error?: SealwireError, event?: RealtimeEvent) =>
      heard[senders]!.push(error?.code ?? event?.sender);
    await ada.subscribeGlobal('notes', callback, { senders });
  }
  await ada.publishGlobal('notes', { text: 'signed' });
  await ada.publishGlobal('notes', { text: 'not signed' }, { signed: false });
  await relay.settled();
  const sender = { kind: 'page', accountId: 'ada' };
  assert.deepEqual(heard, {
    any: [sender, undefined],
    verified: [sender, 'SENDER_UNVERIFIED'],
    function: ['SENDER_UNVERIFIED', 'SENDER_UNVERIFIED'],
  });
  const wrong = ada.publishGlobal('notes', {}, { signed: 'yes' as never });
  await assert.rejects(wrong, isError('INVALID_ARGUMENT', /signed must be true or false/));
});

test('a page of a user who is not logged in cannot sign, and publishes unsigned messages', async () => {
  const relay = createTestRelay();
  const resolver = relay.resolver({ unlicensedAccess: ['anonymous'] });
  const page = relay.realtime({ accountId: 'unidentified', resolver });
  const { errors } = await page.publishGlobal('notes', { text: 'signed' }, { signed: true });
  assert.match(errors![0]!, /^SIGNING_UNAVAILABLE: /);
  assert.equal((await page.publishGlobal('notes', { text: 'not signed' })).errors, undefined);
});
