import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import { INSTALLED, claimsOf, context, fakeKvs, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const NOW = 1_700_000_000_500;

function backend(
  answer: () => Response | Promise<Response> = () => Response.json({ before: 1_700_000_001 }),
) {
  const posted: { url: string; authorization: string; body: unknown }[] = [];
  const fetch = async (url: string | URL | Request, init?: RequestInit) => {
    const { authorization } = init?.headers as Record<string, string>;
    posted.push({ url: String(url), authorization: authorization!, body: JSON.parse(String(init?.body)) });
    return answer();
  };
  const secrets = forgeSecrets(async () => fakeKvs());
  const options = { authorize: () => true, ...settings, secrets, now: () => NOW };
  return { realtime: createRealtime({ ...options, fetch: fetch as typeof globalThis.fetch }), posted };
}

test('sessions of an account, of a context and of an installation are ended at the relay', async () => {
  const { realtime, posted } = backend();
  const before = 1_700_000_001;
  for (const [whose, body] of [
    [{ accountId: 'account-1' }, { account: 'account-1', before }],
    [{ properties: { dashboard: '10001' } }, { context: { dashboard: '10001' }, before }],
    [
      { accountId: 'a', properties: { issue: '7', project: '1' } },
      { account: 'a', context: { issue: '7', project: '1' }, before },
    ],
    ['installation', { installation: true, before }],
  ] as const) {
    assert.deepEqual(await realtime.disconnect(whose, { context }), { before });
    const { url, authorization, body: sent } = posted.pop()!;
    assert.equal(url, 'https://relay.example/v1/disconnect');
    assert.deepEqual(sent, body);
    const { aud, iss, ins } = claimsOf(authorization.replace('Bearer ', ''));
    assert.deepEqual([aud, iss, ins], ['sealwire:backend', 'app-1', INSTALLED]);
  }
});

test('a wrong selector never ends all sessions', async () => {
  const { realtime, posted } = backend();
  for (const whose of [
    undefined,
    null,
    {},
    [],
    'everybody',
    { accountId: undefined },
    { accountId: '' },
    { accountId: 7 },
    { accountId: 'é'.repeat(129) },
    { account: 'a' },
    { accountId: 'a', context: {} },
    { properties: {} },
    { properties: [] },
    { properties: { dashboard: 10001 } },
    { properties: { dashboard: '' } },
    { properties: 'dashboard' },
  ]) {
    await assert.rejects(
      realtime.disconnect(whose as 'installation', { context }),
      isError('INVALID_ARGUMENT', /./),
      JSON.stringify(whose),
    );
  }
  assert.deepEqual(posted, []);
});

test('a refusal of the relay is reported in the result', async () => {
  const error = { code: 'RATE_LIMITED', message: 'the app has revoked as much as the relay remembers' };
  const { realtime } = backend(() => Response.json({ error }, { status: 429 }));
  const { before, errors } = await realtime.disconnect('installation', { context });
  assert.equal(before, null);
  assert.deepEqual([errors![0]!.code, errors![0]!.status], ['RATE_LIMITED', 429]);
});

test('a request to an unreachable relay is repeated until the deadline, and then reported', async () => {
  const { realtime, posted } = backend(() => Promise.reject(new TypeError('fetch failed')));
  const { errors } = await realtime.disconnect({ accountId: 'a' }, { context, timeoutMs: 400 });
  assert.equal(errors![0]!.code, 'UNREACHABLE');
  assert.ok(posted.length >= 2);
  assert.deepEqual(posted[0]!.body, posted[1]!.body);
});
