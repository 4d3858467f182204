// The properties that an app states itself, with the option `properties`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { property } from '../../src/resolver.js';
import { claimedContextApp as app, GADGET } from '../support/claimed-context-app.js';
import { isError } from '../support/rejects.js';

test('properties that the app states are granted, and make a default scope if the type has none', async () => {
  const portal = { type: 'jira:newThing', request: { key: 'SD-1' } };
  const { session, publish, scopes } = app(() => true, {
    properties: async ({ extension }) => ({
      request: (extension as typeof portal).request.key,
      team: undefined,
    }),
  });
  const grant = await session({ extension: portal });
  assert.deepEqual([grant.context, grant.noDefaultScope], [{ module: 'm', request: 'SD-1' }, undefined]);
  await publish({ extension: portal }, [{}, { contextOverrides: [property('request')] }]);
  assert.deepEqual(scopes(), [{ module: 'm', request: 'SD-1' }, { request: 'SD-1' }]);
});

test('properties that the app states may neither contradict the context nor exceed the limits', async () => {
  for (const [properties, message] of [
    [() => ({ dashboard: '2' }), /another value for 'dashboard' than the context has/],
    [() => ({ module: 'other' }), /another value for 'module'/],
    [() => ({ 'a team': 'blue' }), /name has 1 to 64/],
    [() => ({ team: 'x'.repeat(257) }), /'team' must have 1 to 256 bytes, not 257/],
    [() => ({ team: '' }), /'team' must have 1 to 256 bytes, not 0/],
    [() => ({ team: '\ud800' }), /'team' is not well-formed/],
    [() => ({ team: 7 as never }), /'team' must be a string, not number/],
    [() => ({ toString: 'x' }) as never, /'toString' is a name that every object has/],
    [() => ['team'] as never, /must be an object.*not an array/],
    [() => undefined as never, /must be an object.*not undefined/],
  ] as const) {
    const { session } = app(() => true, { properties });
    await assert.rejects(
      session({ extension: GADGET }),
      isError('INVALID_ARGUMENT', message),
      String(properties),
    );
  }
  const failing = app(() => true, { properties: () => Promise.reject(new Error('no database')) });
  await assert.rejects(
    failing.session({ extension: GADGET }),
    isError('SESSION_UNAVAILABLE', /option properties failed: no database/),
  );
  const many = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`p${n}`, 'v']));
  const full = app(() => true, { properties: () => many });
  await assert.rejects(
    full.session({ extension: GADGET }),
    isError('SCOPE_REFUSED', /9 properties; a session has at most 8.*\{ properties \}/),
  );
});

test('authorize decides about the properties that the app states, too', async () => {
  const { session } = app(() => ({ properties: ['dashboard'] }), { properties: () => ({ team: 'blue' }) });
  assert.deepEqual((await session({ extension: GADGET })).context, { dashboard: '10001' });
});
