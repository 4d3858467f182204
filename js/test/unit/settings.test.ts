import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readSettings, relayAddress } from '../../src/backend/settings.js';
import { isError } from '../support/rejects.js';

test('the address of the relay is its origin or its whole address', () => {
  const expected = {
    socketUrl: 'wss://relay.example/v1/realtime',
    publishUrl: 'https://relay.example/v1/publish',
    disconnectUrl: 'https://relay.example/v1/disconnect',
  };
  for (const url of ['wss://relay.example', 'https://relay.example/', 'wss://relay.example/v1/realtime']) {
    assert.deepEqual(relayAddress(url), expected);
  }
  assert.deepEqual(relayAddress('ws://127.0.0.1:8080'), {
    socketUrl: 'ws://127.0.0.1:8080/v1/realtime',
    publishUrl: 'http://127.0.0.1:8080/v1/publish',
    disconnectUrl: 'http://127.0.0.1:8080/v1/disconnect',
  });
  assert.equal(
    relayAddress('wss://example.org/sealwire').publishUrl,
    'https://example.org/sealwire/v1/publish',
  );
});

test('the error for a malformed address shows a correct one', () => {
  const wrong = (url: string, message: RegExp) =>
    assert.throws(() => relayAddress(url), isError('INVALID_ARGUMENT', message));
  wrong('relay.example', /not a URL.*wss:\/\/relay\.example/);
  wrong('ftp://relay.example', /scheme ftp:/);
  wrong('wss://user:secret@relay.example', /must consist of scheme, host and path only/);
  wrong('wss://relay.example/?token=1', /must consist of scheme, host and path only/);
});

const SIGNING_KEY = `k1.${'A'.repeat(86)}`;

test('options take precedence over variables', () => {
  process.env['SEALWIRE_URL'] = 'wss://variables.example';
  process.env['SEALWIRE_APP'] = 'by-variable';
  process.env['SEALWIRE_SIGNING_KEY'] = SIGNING_KEY;
  try {
    assert.equal(readSettings({}).app, 'by-variable');
    assert.equal(readSettings({ app: 'by-option' }).app, 'by-option');
    assert.equal(readSettings({ url: 'ws://localhost:1' }).socketUrl, 'ws://localhost:1/v1/realtime');
  } finally {
    for (const name of ['SEALWIRE_URL', 'SEALWIRE_APP', 'SEALWIRE_SIGNING_KEY']) delete process.env[name];
  }
});

test('the error for a missing setting names the command that sets it', () => {
  const url = 'wss://relay.example';
  const missing = (source: object, message: RegExp) =>
    assert.throws(() => readSettings(source), isError('INVALID_ARGUMENT', message));
  missing(
    {},
    /SEALWIRE_APP is not set\. Run `forge variables set SEALWIRE_APP <value>`.*createRealtime\(\{ app \}\)/,
  );
  missing({ app: 'a', url }, /forge variables set --encrypt SEALWIRE_SIGNING_KEY/);
  missing({ app: 'a', signingKey: SIGNING_KEY }, /SEALWIRE_URL is not set/);
  missing({ signingKey: SIGNING_KEY, url }, /under `forge tunnel`, set FORGE_USER_VAR_SEALWIRE_APP in/);
  missing({ app: 'a', url }, /under `forge tunnel`, set FORGE_USER_VAR_SEALWIRE_SIGNING_KEY in/);
  missing({ app: 'a', signingKey: SIGNING_KEY }, /under `forge tunnel`, set FORGE_USER_VAR_SEALWIRE_URL in/);
  missing({ app: 'a'.repeat(129), signingKey: SIGNING_KEY, url }, /longer than 128 bytes/);
});

test('a signing key of the wrong form is refused without being shown', () => {
  assert.throws(
    () => readSettings({ app: 'a', url: 'wss://relay.example', signingKey: 'do-not-show' }),
    (thrown: Error) => {
      isError('INVALID_ARGUMENT', /not of the form <key id>\.<secret>/)(thrown);
      return !thrown.message.includes('do-not-show');
    },
  );
});
