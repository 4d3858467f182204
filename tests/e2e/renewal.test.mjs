// Sessions and channel tokens with a lifetime of seconds are renewed repeatedly on one connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');

test('a session of three seconds is refreshed ten times without a reconnect or a gap', async () => {
  const system = await startSystem({ backend: { sessionLifetimeSeconds: 3 } });
  try {
    const page = await system.open('anna');
    await page.evaluate(() => globalThis.subscribe('absences'));
    let published = 0;
    while ((await page.evaluate(() => globalThis.sessions)) < 12) {
      const { errors } = await system.backend.publish('absences', { n: published }, { context });
      assert.equal(errors, undefined);
      published += 1;
      await page.waitForTimeout(250);
    }
    await receivedCount(page, published);
    assert.deepEqual(
      (await received(page)).map(({ n }) => n),
      Array.from({ length: published }, (_, n) => n),
    );
    assert.deepEqual(await problems(page), []);
    assert.equal(system.proxy.connections(), 1);
    assert.deepEqual(await page.evaluate(() => globalThis.states), ['connecting', 'connected']);
  } finally {
    await system.stop();
  }
});

test('a token function is called for each renewal, and the subscription continues', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('anna');
    await page.evaluate(() => globalThis.subscribe('chat', { token: () => globalThis.signToken(3) }));
    let published = 0;
    while ((await page.evaluate(() => globalThis.tokens)) < 5) {
      const { token } = await system.backend.signRealtimeToken('chat', { team: 'blue' }, undefined, {
        context,
      });
      const { errors } = await system.backend.publish('chat', { n: published }, { context, token });
      assert.equal(errors, undefined);
      published += 1;
      await page.waitForTimeout(250);
    }
    await receivedCount(page, published);
    assert.equal((await received(page)).length, published);
    assert.deepEqual(await problems(page), []);
    assert.equal(system.proxy.connections(), 1);
  } finally {
    await system.stop();
  }
});

test('a token function that fails for good ends the subscription with its error', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('anna');
    await page.evaluate(() => globalThis.subscribe('chat', { token: () => globalThis.signToken(3) }));
    system.site.state.refuse = true;
    await page.waitForFunction(() => globalThis.problems.length > 0, null, { timeout: 10_000 });
    const [problem] = await problems(page);
    assert.equal(problem.code, 'SESSION_UNAVAILABLE');
    assert.match(problem.message, /no token today/);
  } finally {
    await system.stop();
  }
});
