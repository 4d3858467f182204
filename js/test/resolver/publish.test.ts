import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import { Confluence, Jira } from '../../src/context/product-context.js';
import { INSTALLED, accepted, claimsOf, context, fakeKvs, fakeRelay, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const NOW = 1_700_000_000_000;

function backend(...answers: Parameters<typeof fakeRelay>) {
  const { fetch, posted } = fakeRelay(...answers);
  const kvs = fakeKvs();
  const secrets = forgeSecrets(async () => kvs);
  const realtime = createRealtime({ authorize: () => true, ...settings, secrets, fetch, now: () => NOW });
  return { realtime, posted, kvs };
}

test('a publish returns the result of @forge/realtime', async () => {
  const { realtime } = backend();
  const result = await realtime.publish('absences', { added: 'Ada' }, { context });
  assert.deepEqual(result, { eventId: '00000000000000aa-7', eventTimestamp: '1700000000456' });
});

test('the relay receives a sealed message, a backend token and no plaintext', async () => {
  const { realtime, posted } = backend();
  await realtime.publish('absences', { added: 'plaintext-to-look-for' }, { context, eventName: 'added' });
  const [{ url, headers, messages }] = posted as [(typeof posted)[0]];
  assert.equal(url, 'https://relay.example/v1/publish');
  const { aud, iss, ins, iat, exp } = claimsOf(headers['authorization']!.replace('Bearer ', ''));
  assert.deepEqual([aud, iss, ins, iat], ['sealwire:backend', 'app-1', INSTALLED, NOW / 1000]);
  assert.ok(exp - iat <= 300);
  const [message] = messages as [Record<string, string>];
  assert.deepEqual(Object.keys(message).sort(), ['channel', 'event', 'id', 'scope', 'sealed']);
  assert.equal(message['channel'], 'absences');
  assert.equal(message['event'], 'added');
  assert.deepEqual(message['scope'], { module: 'absences', dashboard: '10001', gadget: '10204' });
  assert.equal(Buffer.from(message['id']!, 'base64url').length, 16);
  const sealed = Buffer.from(message['sealed']!, 'base64');
  assert.equal(sealed[0], 1);
  assert.equal(sealed.includes('plaintext-to-look-for'), false);
});

test('overrides narrow the scope, and global channels have none', async () => {
  const { realtime, posted } = backend();
  await realtime.publish('n', 'x', { context, contextOverrides: [Jira.Dashboard] });
  await realtime.publish('n', 'x', { context, contextOverrides: [] });
  await realtime.publishGlobal('n', 'x', { context });
  assert.deepEqual(
    posted.map(({ messages }) => messages[0]!['scope']),
    [{ dashboard: '10001' }, {}, {}],
  );
});

test('a trigger without a module publishes to global channels', async () => {
  const { realtime, posted } = backend();
  const trigger = { installContext: context.installContext, principal: {} };
  assert.equal((await realtime.publishGlobal('n', 'x', { context: trigger })).errors, undefined);
  await assert.rejects(
    realtime.publish('n', 'x', { context: trigger }),
    isError('SCOPE_REFUSED', /publishGlobal/),
  );
  assert.equal(posted.length, 1);
});

test('a wrong call throws and nothing is sent', async () => {
  const { realtime, posted, kvs } = backend();
  const wrong = (call: Promise<unknown>, code: string, message: RegExp) =>
    assert.rejects(call, isError(code, message));
  await wrong(realtime.publish('', 'x', { context }), 'NAME_INVALID', /empty/);
  await wrong(realtime.publish('n', [] as never, { context }), 'INVALID_ARGUMENT', /an array/);
  await wrong(realtime.publish('n', 'x'.repeat(131_072), { context }), 'MESSAGE_SIZE', /128 KiB/);
  await wrong(realtime.publish('n', 'x'), 'INVALID_ARGUMENT', /invocation is unknown/);
  await wrong(realtime.publish('n', 'x', { context: {} }), 'INVALID_ARGUMENT', /no installContext/);
  await wrong(realtime.publish('n', 'x', { context, token: null as never }), 'INVALID_ARGUMENT', /token/);
  const lacking = realtime.publish('n', 'x', { context, contextOverrides: [Confluence.Space] });
  await wrong(lacking, 'SCOPE_REFUSED', /no property 'space'/);
  const notArray = realtime.publish('n', 'x', { context, contextOverrides: 'issue' as never });
  await wrong(notArray, 'INVALID_ARGUMENT', /Invalid value for contextOverrides/);
  assert.deepEqual([posted.length, kvs.reads], [0, 0]);
});

test('a network failure is retried with the same message', async () => {
  const fail = () => Promise.reject(new TypeError('fetch failed'));
  const { realtime, posted } = backend(fail, accepted);
  assert.equal((await realtime.publish('n', 'x', { context })).errors, undefined);
  assert.equal(posted.length, 2);
  assert.deepEqual(posted[0]!.messages, posted[1]!.messages);
});

test('the error for a lasting network failure says what to check', async () => {
  const { realtime, posted } = backend(() => Promise.reject(new TypeError('fetch failed')));
  const { eventId, eventTimestamp, errors } = await realtime.publish('n', 'x', { context, timeoutMs: 400 });
  assert.deepEqual([eventId, eventTimestamp], [null, null]);
  assert.ok(posted.length >= 2);
  assert.equal(errors![0]!.code, 'UNREACHABLE');
  assert.match(
    errors![0]!.message,
    /https:\/\/relay\.example could not be reached.*external\.fetch\.backend/,
  );
});

test('a refusal of the request or of the message is reported with its code and status, and not repeated', async () => {
  const limited = { code: 'RATE_LIMITED', message: 'Too many publications.', retryAfterMs: 60_000 };
  const whole = backend(() => Response.json({ error: limited }, { status: 429 }));
  assert.deepEqual((await whole.realtime.publish('n', 'x', { context })).errors, [
    { message: 'Too many publications.', code: 'RATE_LIMITED', status: 429, retryAfterMs: 60_000 },
  ]);
  assert.equal(whole.posted.length, 1);
  const expired = { code: 'TOKEN_EXPIRED', message: 'The token has expired.' };
  const one = backend(() => Response.json({ results: [{ error: expired }] }));
  assert.deepEqual((await one.realtime.publish('n', 'x', { context })).errors, [{ ...expired, status: 200 }]);
});

test('a relay that names a delay receives the same message again after it', async () => {
  const limited = { code: 'RATE_LIMITED', message: 'Too many publications.', retryAfterMs: 40 };
  const refuse = () => Response.json({ error: limited }, { status: 429 });
  const { realtime, posted } = backend(refuse, refuse, accepted);
  const begun = performance.now();
  assert.equal((await realtime.publish('n', 'x', { context })).errors, undefined);
  assert.ok(performance.now() - begun >= 75);
  assert.equal(posted.length, 3);
  assert.deepEqual(posted[0]!.messages, posted[2]!.messages);
});

test('a response that does not come from a relay is reported as such', async () => {
  for (const answer of [
    () => new Response('<html>', { status: 500 }),
    () => new Response('not found', { status: 404 }),
    () => Response.json({ results: [] }),
    () => Response.json({ results: [{ eventId: 7 }] }),
    () => Response.json(null),
  ]) {
    const { errors } = await backend(answer).realtime.publish('n', 'x', { context });
    assert.equal(errors![0]!.code, 'UNREACHABLE');
    assert.match(errors![0]!.message, /not as a relay does\. Check SEALWIRE_URL/);
  }
});

test('the error for a request that Forge blocks says what the manifest lacks', async () => {
  const headers = { 'forge-proxy-error': 'REQUEST_EGRESS_ALLOWLIST_ERR' };
  const { realtime } = backend(() => new Response('', { status: 403, headers }));
  const { errors } = await realtime.publish('n', 'x', { context });
  assert.match(errors![0]!.message, /REQUEST_EGRESS_ALLOWLIST_ERR\. Add the relay to permissions/);
  assert.match(errors![0]!.message, /an admin of the site approve the new version/);
  assert.deepEqual([errors![0]!.code, errors![0]!.status], ['EGRESS_BLOCKED', 403]);
});

test('a storage failure is reported in the result', async () => {
  const { fetch } = fakeRelay();
  const secrets = {
    read: () => Promise.reject(new Error('storage is down')),
    create: () => Promise.reject(new Error('unused')),
    replace: () => Promise.reject(new Error('unused')),
  };
  const realtime = createRealtime({ authorize: () => true, ...settings, secrets, fetch });
  const { errors } = await realtime.publish('n', 'x', { context });
  assert.equal(errors![0]!.code, 'SESSION_UNAVAILABLE');
  assert.match(errors![0]!.message, /could not be read: storage is down/);
});
