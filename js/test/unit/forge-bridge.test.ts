import assert from 'node:assert/strict';
import { test } from 'node:test';

import { forgeSession } from '../../src/session/forge-session.js';
import { isError } from '../support/rejects.js';

/** The object with which @forge/bridge communicates on a real page. */
const calls: [string, Record<string, unknown>][] = [];
let answer: () => unknown = () => undefined;
(globalThis as Record<string, unknown>)['__bridge'] = {
  callBridge: async (command: string, payload: Record<string, unknown>) => {
    calls.push([command, payload]);
    return answer();
  },
};

const grant = {
  url: 'wss://relay.example/v1/realtime',
  token: 'jwt',
  issuedAtMs: 1_700_000_000_000,
  expiresAt: 1,
  app: 'app',
  installation: 'ari:cloud:jira::site/1',
  context: {},
  keys: [{ id: 'AAAAAA', scopes: '', signer: '' }],
};

test('the default session comes from the resolver through the real @forge/bridge', async () => {
  answer = () => grant;
  assert.deepEqual(await forgeSession({ reason: 'unknown-key' }), grant);
  const [command, payload] = calls[0]!;
  assert.equal(command, 'invoke');
  assert.equal(payload['functionKey'], 'sealwire:session');
  assert.deepEqual(payload['payload'], { reason: 'unknown-key' });
});

test('a refusal by authorize arrives with its code', async () => {
  answer = () =>
    Promise.reject(new Error('The app does not permit realtime here. [sealwire:PERMISSION_MISSING]'));
  await assert.rejects(
    forgeSession({ reason: 'connect' }),
    isError('PERMISSION_MISSING', /^The app does not permit realtime here\.$/),
  );
});

test('the error for a resolver that lacks the function or returns nothing says what to do', async () => {
  answer = () => Promise.reject(new Error(`Resolver has no definition for 'sealwire:session'.`));
  const missing = isError(
    'INVALID_ARGUMENT',
    /failed: Resolver has no definition.*Add resolver\.define\('sealwire:session'/,
  );
  await assert.rejects(forgeSession({ reason: 'connect' }), missing);
  // The platform turns an undefined result into an empty object.
  answer = () => ({});
  const nothing = isError('INVALID_ARGUMENT', /'sealwire:session' did not return a session/);
  await assert.rejects(forgeSession({ reason: 'connect' }), nothing);
});

test('another failure of the resolver is retryable', async () => {
  answer = () => Promise.reject(new Error('The function timed out.'));
  const failed = isError('SESSION_UNAVAILABLE', /'sealwire:session' failed: The function timed out\./);
  await assert.rejects(forgeSession({ reason: 'connect' }), failed);
});
