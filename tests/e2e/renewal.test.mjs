// Sessions and channel tokens with a lifetime of seconds are renewed repeatedly on one connection, or end.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');

/** The lifetime in seconds. It is renewed in its last 30 %, in which the page, the function and the relay need their time. */
const LIFETIME = 6;

// Each test waits for its own renewals most of the time.
describe('short lifetimes', { concurrency: true }, () => {
  test('a session of six seconds is refreshed ten times without a reconnect or a gap', async () => {
    const system = await startSystem({ backend: { sessionLifetimeSeconds: LIFETIME } });
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
      assert.deepEqual(await page.evaluate(() => globalThis.states), ['connecting', 'connected']);
      assert.equal(system.proxy.connections(), 1);
    } finally {
      await system.stop();
    }
  });

  test('a token function is called for each renewal, and the subscription continues', async () => {
    const system = await startSystem();
    try {
      const page = await system.open('anna');
      await page.evaluate(
        (seconds) => globalThis.subscribe('chat', { token: () => globalThis.signToken(seconds) }),
        LIFETIME,
      );
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
});

test('a session that is not refreshed is disconnected within a second of its exp', async () => {
  const system = await startSystem({ backend: { sessionLifetimeSeconds: 4 } });
  try {
    const page = await system.open('ben');
    const before = Math.floor(Date.now() / 1000);
    await page.evaluate(() => globalThis.subscribe('absences'));
    const after = Math.floor(Date.now() / 1000);
    system.site.state.refuse = true;
    while (system.proxy.closedByRelay.length === 0) {
      assert.ok(Date.now() < (after + 8) * 1000, 'the relay did not disconnect');
      await sleep(20);
    }
    const [closed] = system.proxy.closedByRelay;
    assert.ok(closed >= (before + 4) * 1000 - 50, 'the relay disconnected before the session expired');
    assert.ok(closed <= (after + 5) * 1000, `disconnected ${closed - (after + 4) * 1000} ms after exp`);
  } finally {
    await system.stop();
  }
});
