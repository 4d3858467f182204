// Sessions and channel tokens that live for seconds are renewed on the connection that there is, again and again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, setStage } from './support/stage.mjs';

const context = contextOf('anna', '10001');

test('a session of three seconds is refreshed ten times without a reconnect or a gap', async () => {
  const stage = await setStage({ backend: { sessionLifetimeSeconds: 3 } });
  try {
    const page = await stage.open('anna');
    await page.evaluate(() => globalThis.subscribe('absences'));
    let published = 0;
    while ((await page.evaluate(() => globalThis.sessions)) < 12) {
      const { errors } = await stage.backend.publish('absences', { n: published }, { context });
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
    assert.equal(stage.line.connections(), 1);
    assert.deepEqual(await page.evaluate(() => globalThis.states), ['connecting', 'connected']);
  } finally {
    await stage.strike();
  }
});

test('a token function is asked again and again, and the subscription goes on', async () => {
  const stage = await setStage();
  try {
    const page = await stage.open('anna');
    await page.evaluate(() => globalThis.subscribe('chat', { token: () => globalThis.signToken(3) }));
    let published = 0;
    while ((await page.evaluate(() => globalThis.tokens)) < 5) {
      const { token } = await stage.backend.signRealtimeToken('chat', { team: 'blue' }, undefined, {
        context,
      });
      const { errors } = await stage.backend.publish('chat', { n: published }, { context, token });
      assert.equal(errors, undefined);
      published += 1;
      await page.waitForTimeout(250);
    }
    await receivedCount(page, published);
    assert.equal((await received(page)).length, published);
    assert.deepEqual(await problems(page), []);
    assert.equal(stage.line.connections(), 1);
  } finally {
    await stage.strike();
  }
});

test('a token function that fails for good ends the subscription with its error', async () => {
  const stage = await setStage();
  try {
    const page = await stage.open('anna');
    await page.evaluate(() => globalThis.subscribe('chat', { token: () => globalThis.signToken(3) }));
    stage.site.state.refuse = true;
    await page.waitForFunction(() => globalThis.problems.length > 0, null, { timeout: 10_000 });
    const [problem] = await problems(page);
    assert.equal(problem.code, 'SESSION_UNAVAILABLE');
    assert.match(problem.message, /no token today/);
  } finally {
    await stage.strike();
  }
});
