import assert from 'node:assert/strict';
import test from 'node:test';
import { forgeVariables } from '../src/relay/relay-process.mjs';

test("the app's variables come from the commands that the relay prints", () => {
  const printed = `Wrote relay.toml

    forge variables set --encrypt SEALWIRE_SIGNING_KEY kid.c2VjcmV0
    forge variables set SEALWIRE_APP team-dashboard
    forge variables set SEALWIRE_URL wss://relay.example.com
`;
  assert.deepEqual(forgeVariables(printed), {
    SEALWIRE_SIGNING_KEY: 'kid.c2VjcmV0',
    SEALWIRE_APP: 'team-dashboard',
    SEALWIRE_URL: 'wss://relay.example.com',
  });
});

test('the error about a missing variable names it', () => {
  assert.throws(() => forgeVariables(''), /SEALWIRE_APP/);
});
