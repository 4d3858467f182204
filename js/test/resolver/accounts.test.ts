// The kinds of users that may have a session.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import type { RealtimeOptions } from '../../src/backend/options.js';
import { claimsOf, context, fakeKvs, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

function sessions(unlicensedAccess?: RealtimeOptions['unlicensedAccess']) {
  let asked = 0;
  const kvs = fakeKvs();
  const realtime = createRealtime({
    authorize: () => ((asked += 1), true),
    ...settings,
    secrets: forgeSecrets(async () => kvs),
    ...(unlicensedAccess && { unlicensedAccess }),
  });
  return {
    of: async (user: object) =>
      claimsOf((await realtime.session({ context: { ...context, ...user } })).token)['sub'],
    asked: () => asked,
  };
}

const ANONYMOUS = [
  { accountId: undefined },
  { accountId: '' },
  { accountId: 'unidentified' },
  { accountId: 'unidentified', accountType: 'licensed' },
  { accountType: 'anonymous' },
  { accountId: 7 },
];

test('by default nobody but a licensed user has a session, and authorize is not asked about others', async () => {
  const { of, asked } = sessions();
  assert.equal(await of({}), 'account-1');
  assert.equal(await of({ accountType: 'licensed' }), 'account-1');
  for (const user of [...ANONYMOUS, { accountType: 'unlicensed' }, { accountType: 'customer' }]) {
    await assert.rejects(of(user), isError('PERMISSION_MISSING', /unlicensedAccess/), JSON.stringify(user));
  }
  for (const accountType of ['app', '', 'LICENSED', 'constructor', '__proto__', 7, {}]) {
    await assert.rejects(of({ accountType }), isError('PERMISSION_MISSING', /accounts of this type/));
  }
  assert.equal(asked(), 2);
});

test('an app permits the kinds that it names', async () => {
  const customers = sessions(['customer']);
  assert.equal(await customers.of({ accountType: 'customer' }), 'account-1');
  await assert.rejects(
    customers.of({ accountType: 'unlicensed' }),
    isError('PERMISSION_MISSING', /'unlicensed'/),
  );
  for (const user of ANONYMOUS) {
    await assert.rejects(customers.of(user), isError('PERMISSION_MISSING', /'anonymous'/));
    assert.equal(await sessions(['anonymous']).of(user), 'anonymous');
  }
  for (const kinds of [['app'], 'customer', [7], ['constructor']]) {
    assert.throws(
      () => sessions(kinds as never),
      isError('INVALID_ARGUMENT', /unlicensedAccess must be an array/),
    );
  }
});

test('an account that does not fit into a token is refused', async () => {
  await assert.rejects(
    sessions().of({ accountId: '\udfff' }),
    isError('INVALID_ARGUMENT', /not well-formed/),
  );
  await assert.rejects(
    sessions().of({ accountId: 'x'.repeat(257) }),
    isError('INVALID_ARGUMENT', /1 to 256 bytes/),
  );
});
