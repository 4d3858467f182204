// The lifetime of a subscription is that of its channel token or its renewals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');

const signWith = (system) => async (lifetimeSeconds) => {
  const { token } = await system.backend.signRealtimeToken('chat', { team: 'blue' }, undefined, {
    context,
    lifetimeSeconds,
  });
  return token;
};

test('a subscription whose token expires reports TOKEN_EXPIRED and receives nothing more', async () => {
  const system = await startSystem();
  try {
    const sign = signWith(system);
    const page = await system.open('anna');
    await page.evaluate((token) => globalThis.subscribe('chat', { token }), await sign(2));
    await page.waitForFunction(() => globalThis.problems.length > 0, undefined, { timeout: 5_000 });
    const [problem] = await problems(page);
    assert.equal(problem.code, 'TOKEN_EXPIRED');
    const { errors } = await system.backend.publish('chat', 'too late', { context, token: await sign(60) });
    assert.equal(errors, undefined);
    await page.evaluate(() => globalThis.subscription.unsubscribe());
    assert.deepEqual(await received(page), []);
  } finally {
    await system.stop();
  }
});

test('a token renewed in time keeps the subscription without a gap', async () => {
  const system = await startSystem();
  try {
    const sign = signWith(system);
    const page = await system.open('anna');
    await page.evaluate((token) => globalThis.subscribe('chat', { token }), await sign(2));
    await page.evaluate((token) => globalThis.subscription.refreshToken(token), await sign(60));
    await page.waitForTimeout(3_000);
    await system.backend.publish('chat', 'still here', { context, token: await sign(60) });
    await receivedCount(page, 1);
    assert.deepEqual(await received(page), ['still here']);
    assert.deepEqual(await problems(page), []);
  } finally {
    await system.stop();
  }
});
