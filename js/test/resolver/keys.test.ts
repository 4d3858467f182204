import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resolverCore } from '../../src/core/load-resolver.js';
import type { InstallationSecret } from '../../src/core/resolver-core.js';
import type { SessionGrant } from '../../src/session/grant.js';
import { testResolverCore } from '../../src/testing/resolver-core.js';
import { canOpen, keysIn } from '../support/key-holder.js';
import { context, settings } from '../support/relay.js';

const NOW = 1_700_000_000_000;

const { app, signingKey } = settings;
const installation = context.installContext;

function mint(secret: InstallationSecret, properties: Record<string, string>): Omit<SessionGrant, 'url'> {
  const who = { signingKey, app, installation, account: 'ada', can: ['subscribe' as const] };
  return resolverCore().mintSession({ ...who, context: properties, nowSeconds: NOW / 1000 }, secret);
}

test('no keys of two contexts open the messages of a third', () => {
  const secret = resolverCore().newInstallationSecret(NOW / 1000);
  const publishedIn = (scope: Record<string, string>) => {
    const where = { app, installation, scope, channel: 'review', event: 'added' };
    const { sealed } = resolverCore().seal({ ...where, payload: '"secret"', nowMs: NOW }, secret);
    return { app, installation, message: { ...where, sealed } };
  };
  const viewer = mint(secret, { issue: '7', module: 'viewer' });
  const admin = mint(secret, { issue: '8', module: 'admin' });
  const both = [viewer, admin].flatMap(({ keys }) => keysIn(keys));

  for (const scope of [
    { issue: '7', module: 'admin' },
    { issue: '8', module: 'viewer' },
  ]) {
    assert.equal(canOpen(both, publishedIn(scope)), false, JSON.stringify(scope));
    assert.equal(canOpen(keysIn(mint(secret, scope).keys), publishedIn(scope)), true, JSON.stringify(scope));
  }
  for (const scope of [viewer.context, admin.context, { issue: '7' }, { module: 'admin' }, {}]) {
    assert.equal(canOpen(both, publishedIn(scope as Record<string, string>)), true, JSON.stringify(scope));
  }
});

test('a context of nine properties is refused with the limit, in a session and in a scope', () => {
  for (const core of [resolverCore(), testResolverCore]) {
    const secret = core.newInstallationSecret(NOW / 1000);
    const properties = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, '1']));
    const session = (count: number) => {
      const who = { signingKey, app, installation, account: 'ada', can: ['subscribe' as const] };
      return core.mintSession({ ...who, context: properties(count), nowSeconds: NOW / 1000 }, secret);
    };
    const seal = (count: number) => {
      const where = { app, installation, scope: properties(count), channel: 'n', event: '' };
      return core.seal({ ...where, payload: '1', nowMs: NOW }, secret);
    };
    for (const call of [session, seal]) {
      call(8);
      assert.throws(() => call(9), { code: 'SCOPE_REFUSED', message: /at most 8 properties/ });
    }
  }
});
