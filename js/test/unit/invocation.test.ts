import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import ForgeResolver, { makeResolver } from '@forge/resolver';

import { installationOf } from '../../src/backend/installation.js';
import { wrap } from '../../src/backend/create-realtime.js';
import { contextOfArguments, currentContext } from '../../src/backend/invocation.js';
import { isError } from '../support/rejects.js';

// A CommonJS package: Node returns its exports as the default export.
const Resolver = (ForgeResolver as unknown as { default: typeof ForgeResolver }).default ?? ForgeResolver;

const call = (functionKey: string, moduleKey: string) => ({ call: { functionKey }, context: { moduleKey } });
const runtime = (site: string) => ({
  installContext: `ari:${site}`,
  principal: { accountId: `user-of-${site}` },
});

test('a function deep inside a real resolver knows the invocation, merged as the resolver merges it', async () => {
  const resolver = new Resolver();
  let seen: unknown;
  resolver.define('look', async ({ context }) => {
    await sleep(1);
    const { installContext, accountId, moduleKey } = currentContext();
    assert.deepEqual(
      [installContext, accountId, moduleKey],
      [context['installContext'], context['accountId'], context['moduleKey']],
    );
    seen = installContext;
    return { found: true };
  });
  const handler = wrap(resolver.getDefinitions());
  assert.deepEqual(await handler(call('look', 'gadget'), runtime('one')), { found: true });
  assert.equal(seen, 'ari:one');
});

test('concurrent invocations of several installations are isolated', async () => {
  const handler = wrap(
    makeResolver<{ look: (wait: { ms: number }) => { before: string; after: string } }>({
      look: async ({ payload }) => {
        const before = installationOf(currentContext(), 'test');
        await sleep(payload.ms);
        return { before, after: installationOf(currentContext(), 'test') };
      },
    }),
  );
  const invoke = (site: string, ms: number) =>
    handler(
      { call: { functionKey: 'look', payload: { ms } }, context: { moduleKey: 'gadget' } },
      runtime(site),
    );
  const answers = await Promise.all([invoke('one', 20), invoke('two', 5), invoke('three', 10)]);
  assert.deepEqual(answers, [
    { before: 'ari:one#test', after: 'ari:one#test' },
    { before: 'ari:two#test', after: 'ari:two#test' },
    { before: 'ari:three#test', after: 'ari:three#test' },
  ]);
});

test('the fields that the platform vouches for come from the platform and not from the page', () => {
  const forged = {
    call: { functionKey: 'x' },
    context: { installContext: 'ari:forged', accountId: 'forged' },
  };
  const context = contextOfArguments([forged, runtime('real')])!;
  assert.deepEqual([context.installContext, context.accountId], ['ari:real', 'user-of-real']);
  const bare = contextOfArguments([forged, undefined])!;
  assert.deepEqual([bare.installContext, bare.accountId], [undefined, undefined]);
});

test('a consumer or trigger has its context as the second argument', async () => {
  const consumer = wrap(async (_event: unknown, _context: unknown) => currentContext().installContext);
  assert.equal(await consumer({ body: { call: 1 } }, { installContext: 'ari:one' }), 'ari:one');
});

test('errors, results, arguments and this pass through', async () => {
  const boom = new Error('boom');
  await assert.rejects(wrap(async () => Promise.reject(boom))(), (thrown) => thrown === boom);
  assert.throws(
    wrap(() => {
      throw boom;
    }),
    (thrown) => thrown === boom,
  );
  const owner = {
    name: 'owner',
    run: wrap(function (this: { name: string }, a: number, b: number) {
      return `${this.name} ${a + b}`;
    }),
  };
  assert.equal(owner.run(1, 2), 'owner 3');
  assert.throws(
    () => wrap(undefined as never),
    isError('INVALID_ARGUMENT', /resolver\.getDefinitions\(\).*undefined/),
  );
});

test('outside an invocation the context must be given', () => {
  assert.throws(
    () => currentContext(),
    isError('INVALID_ARGUMENT', /wrap\(resolver\.getDefinitions\(\)\).*option context/),
  );
  assert.throws(
    () => currentContext('ari' as never),
    isError('INVALID_ARGUMENT', /must be an object, not string/),
  );
  assert.equal(currentContext({ installContext: 'ari:one' }).installContext, 'ari:one');
});

test('a context without an installation is refused', () => {
  assert.throws(() => installationOf({}), isError('INVALID_ARGUMENT', /no installContext/));
  assert.throws(
    () => installationOf({ installContext: 'x'.repeat(252) }, 'test'),
    isError('INVALID_ARGUMENT', /257 bytes of 256/),
  );
});
