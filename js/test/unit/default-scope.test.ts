// A page's calls without contextOverrides, which go to the core if the resolver says that there is a default scope.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import type { RealtimeOptions } from '../../src/browser/types.js';
import { SealwireError } from '../../src/errors/sealwire-error.js';
import type { ScopedGrant } from '../../src/session/scoped-grant.js';
import { fakeCore } from '../support/fake-core.js';
import { isError } from '../support/rejects.js';

const grant: ScopedGrant = {
  url: 'wss://relay.example/v1/realtime',
  token: 'jwt',
  issuedAtMs: 1_700_000_000_000,
  expiresAt: 1_700_000_900,
  app: 'app',
  installation: 'ari:cloud:jira::site/1#test',
  context: { module: 'gadget' },
  keys: [{ id: 'AAAAAA', scopes: '', signer: '' }],
};
const HINT = 'Let authorize() verify the dashboard.';
const WHY = `There is no default channel here. Use contextOverrides. ${HINT}`;
const without: ScopedGrant = { ...grant, noDefaultScope: WHY, scopeHint: HINT };

function page(session: RealtimeOptions['session'], options: RealtimeOptions = {}) {
  const { sources, clients } = fakeCore();
  return { realtime: realtimeWith({ session: session!, ...options }, sources), clients };
}

test('a session with a default scope serves calls without overrides', async () => {
  const { realtime, clients } = page(() => grant);
  await realtime.subscribe('n', () => {});
  await realtime.publish('n', 'x');
  assert.deepEqual(clients[0]!.subscriptions.get(1)!.channel, { name: 'n' });
  assert.deepEqual(clients[0]!.published[0]!.channel, { name: 'n' });
});

test('without a default scope, such calls are refused before the core hears of them, and others are not', async () => {
  const { realtime, clients } = page(() => without);
  for (const attempt of [
    () => realtime.subscribe('n', () => {}),
    () => realtime.subscribe('n', () => {}, { token: 'jwt~key' }),
    () => realtime.stream('n').ready,
  ]) {
    await assert.rejects(attempt(), isError('SCOPE_REFUSED', /no default channel/));
  }
  assert.deepEqual((await realtime.publish('n', 'x')).errors, [`SCOPE_REFUSED: ${WHY}`]);
  assert.deepEqual([clients[0]!.subscriptions.size, clients[0]!.published.length], [0, 0]);

  await realtime.subscribe('n', () => {}, { contextOverrides: [] });
  await realtime.subscribeGlobal('n', () => {});
  assert.equal((await realtime.publish('n', 'x', { contextOverrides: ['module'] })).errors, undefined);
  assert.equal(clients[0]!.subscriptions.size, 2);
});

test('a call made before the first session waits for it', async () => {
  let answer = (_: ScopedGrant): void => {};
  const { realtime, clients } = page(() => new Promise<ScopedGrant>((resolve) => (answer = resolve)));
  const refused = realtime.publish('n', 'x');
  const elsewhere = realtime.publish('n', 'x', { contextOverrides: ['module'] });
  assert.equal((await elsewhere).errors, undefined);
  answer(without);
  assert.match((await refused).errors![0]!, /^SCOPE_REFUSED/);
  assert.equal(clients[0]!.published.length, 1);
});

test('if the first session fails or is late, a call goes to the core, and a later session that cannot serve it is refused', async () => {
  const unavailable = new SealwireError('SESSION_UNAVAILABLE', 'Not now.');
  for (const first of [() => Promise.reject(unavailable), () => new Promise<never>(() => {})]) {
    const answers = [first, () => without, () => without];
    const { realtime, clients } = page(() => answers.shift()!(), { requestTimeoutMs: 5 });
    await realtime.publish('n', 'x');
    assert.equal(clients[0]!.published.length, 1);
    const { host } = clients[0]!;
    void host.session('connect').catch(() => {});
    await assert.rejects(host.session('connect'), isError('SCOPE_REFUSED', /no default channel/));
    // The core has ended the calls that waited, so the next session serves other calls.
    assert.deepEqual(await host.session('connect'), without);
  }
});

test('the core’s refusal of a property contains the advice of the resolver', async () => {
  const { realtime, clients } = page(() => ({ ...grant, scopeHint: HINT }));
  await realtime.publish('n', 'x');
  clients[0]!.failure = {
    code: 'SCOPE_REFUSED',
    message: "the session's context has no property 'dashboard'",
  };
  const options = { contextOverrides: ['dashboard' as const] };
  await assert.rejects(
    realtime.subscribe('n', () => {}, options),
    isError('SCOPE_REFUSED', /no property 'dashboard'\. Let authorize\(\) verify the dashboard\.$/),
  );
  const { errors } = await realtime.publish('n', 'x', options);
  assert.match(errors![0]!, /'dashboard'\. Let authorize/);
});
