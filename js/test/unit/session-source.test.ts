import assert from 'node:assert/strict';
import { test } from 'node:test';

import { realtimeWith } from '../../src/browser/realtime.js';
import { SealwireError } from '../../src/errors/sealwire-error.js';
import { refusalIn, withCodeInMessage } from '../../src/session/refusal.js';
import type { SessionGrant, SessionRequest } from '../../src/session/grant.js';
import { fakeCore } from '../support/fake-core.js';
import { grant as emptyGrant } from '../support/grant.js';
import { isError } from '../support/rejects.js';

const grant: SessionGrant = { ...emptyGrant, context: { module: 'gadget' } };

async function hostWith(session: () => unknown) {
  const { sources, clients } = fakeCore();
  await realtimeWith({ session: session as never }, sources).publish('n', 'x');
  return clients[0]!.host;
}

test('the session option provides sessions, and receives the reason', async () => {
  const requests: SessionRequest[] = [];
  const { sources, clients } = fakeCore();
  const realtime = realtimeWith({ session: (request) => (requests.push(request), grant) }, sources);
  await realtime.publish('n', 'x');
  assert.deepEqual(await clients[0]!.host.session('connect'), grant);
  await clients[0]!.host.session('unknown-key');
  assert.deepEqual(requests, [{ reason: 'connect' }, { reason: 'unknown-key' }]);
});

test('the request of a page that signs is JSON with its public key', async () => {
  let requested = (_: SessionRequest): void => {};
  const request = new Promise<SessionRequest>((resolve) => (requested = resolve));
  const session = (asked: SessionRequest) => (requested(asked), new Promise<never>(() => {}));
  // A core for tests needs no certificate, so this is the page's own core.
  const realtime = realtimeWith({ session, signed: true });
  const published = realtime.publish('n', 'x');
  const { reason, publicKey } = JSON.parse(JSON.stringify(await request));
  assert.equal(reason, 'connect');
  assert.match(publicKey, /^[\w-]{87}$/);
  realtime.close();
  await published;
});

test('a start does not access the storage, whose first access blocks the page', async (t) => {
  const { sources, clients } = fakeCore();
  const steps: string[] = [];
  Object.defineProperty(globalThis, 'sessionStorage', {
    get: () => (steps.push('storage'), undefined),
    configurable: true,
  });
  t.after(() => Reflect.deleteProperty(globalThis, 'sessionStorage'));
  const load = async () => (steps.push('core'), sources.wasm());
  const session = () => (steps.push('session'), grant);
  await realtimeWith({ session }, { wasm: load, js: load }).publish('n', 'x');
  await clients[0]!.host.session('connect');
  assert.deepEqual(steps, ['core', 'session']);
});

test('the first session is fetched while the core loads, and used once', async () => {
  const { sources, clients } = fakeCore();
  let load = (): void => {};
  const loaded = new Promise<void>((resolve) => (load = resolve));
  const reasons: string[] = [];
  const late = async () => (await loaded, sources.wasm());
  const realtime = realtimeWith(
    { session: ({ reason }) => (reasons.push(reason), grant) },
    { wasm: late, js: late },
  );
  const published = realtime.publish('n', 'x');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(reasons, ['connect']);
  load();
  await published;
  assert.deepEqual(await clients[0]!.host.session('connect'), grant);
  assert.deepEqual(reasons, ['connect']);
  await clients[0]!.host.session('connect');
  assert.deepEqual(reasons, ['connect', 'connect']);
});

test('the error for a session that lacks a field does not show its content', async () => {
  for (const field of Object.keys(grant)) {
    const host = await hostWith(() => ({ ...grant, [field]: undefined, secret: 'do-not-show' }));
    await assert.rejects(host.session('connect'), (thrown: Error) => {
      isError('INVALID_ARGUMENT', new RegExp(`its ${field} is missing`))(thrown);
      return !thrown.message.includes('do-not-show');
    });
  }
  const outdated = await hostWith(() => ({ ...grant, keys: [{ id: 'AAAAAA', base: 'do-not-show' }] }));
  await assert.rejects(outdated.session('connect'), isError('INVALID_ARGUMENT', /its keys is missing or of/));
  const host = await hostWith(() => undefined);
  await assert.rejects(host.session('connect'), isError('INVALID_ARGUMENT', /did not return a session/));
});

test('an exception of the session option keeps its code, or gets one', async () => {
  const own = new SealwireError('PERMISSION_MISSING', 'Not you.');
  const refusing = await hostWith(() => Promise.reject(own));
  await assert.rejects(refusing.session('connect'), (thrown) => thrown === own);
  const failing = await hostWith(() => Promise.reject(new TypeError('no network')));
  await assert.rejects(failing.session('connect'), isError('SESSION_UNAVAILABLE', /failed: no network/));
});

test('outside Atlassian the default session explains what is missing', async () => {
  const { sources, clients } = fakeCore();
  await realtimeWith({}, sources).publish('n', 'x');
  const attempt = clients[0]!.host.session('connect');
  await assert.rejects(
    attempt,
    isError('INVALID_ARGUMENT', /no Forge bridge here.*createRealtime\(\{ session \}\)/),
  );
});

test('a code survives the platform, which passes on nothing but the message', () => {
  const thrown = withCodeInMessage(
    new SealwireError('PERMISSION_MISSING', 'authorize() refused the session.'),
  );
  const arrived = refusalIn(new Error(`There was an error invoking the function - ${thrown.message}`));
  const expected = /^There was an error invoking the function - authorize\(\) refused the session\.$/;
  isError('PERMISSION_MISSING', expected)(arrived);
  assert.equal(refusalIn(new Error('Something else.')), undefined);
});

test('a session option that rethrows the resolver’s exception keeps its code', async () => {
  const host = await hostWith(() => Promise.reject(new Error('HTTP 500: no [sealwire:PERMISSION_MISSING]')));
  await assert.rejects(host.session('connect'), isError('PERMISSION_MISSING', /^HTTP 500: no$/));
});
