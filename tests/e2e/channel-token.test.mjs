// A subscription lasts as long as its channel token, or as its renewals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, setStage } from './support/stage.mjs';

const context = contextOf('anna', '10001');

const signWith = (stage) => async (lifetimeSeconds) => {
  const { token } = await stage.backend.signRealtimeToken('chat', { team: 'blue' }, undefined, {
    context,
    lifetimeSeconds,
  });
  return token;
};

test('a subscription whose token expires is told so, and receives nothing more', async () => {
  const stage = await setStage();
  try {
    const sign = signWith(stage);
    const page = await stage.open('anna');
    await page.evaluate((token) => globalThis.subscribe('chat', { token }), await sign(2));
    await page.waitForFunction(() => globalThis.problems.length > 0, undefined, { timeout: 5_000 });
    const [problem] = await problems(page);
    assert.equal(problem.code, 'TOKEN_EXPIRED');
    const { errors } = await stage.backend.publish('chat', 'too late', { context, token: await sign(60) });
    assert.equal(errors, undefined);
    await page.evaluate(() => globalThis.subscription.unsubscribe());
    assert.deepEqual(await received(page), []);
  } finally {
    await stage.strike();
  }
});

test('a token that is renewed in time keeps the subscription without a gap', async () => {
  const stage = await setStage();
  try {
    const sign = signWith(stage);
    const page = await stage.open('anna');
    await page.evaluate((token) => globalThis.subscribe('chat', { token }), await sign(2));
    await page.evaluate((token) => globalThis.subscription.refreshToken(token), await sign(60));
    await page.waitForTimeout(3_000);
    await stage.backend.publish('chat', 'still here', { context, token: await sign(60) });
    await receivedCount(page, 1);
    assert.deepEqual(await received(page), ['still here']);
    assert.deepEqual(await problems(page), []);
  } finally {
    await stage.strike();
  }
});
