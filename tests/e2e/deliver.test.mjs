// A message reaches every subscriber of its channel, and no other page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

for (const [core, webAssembly] of [
  ['js', false],
  ['wasm', true],
]) {
  test(`pages and a resolver exchange messages on a dashboard and not beyond it (${core})`, async () => {
    const system = await startSystem({ webAssembly });
    try {
      const [anna, ben, cleo] = [
        await system.open('anna', '10001'),
        await system.open('ben', '10001'),
        await system.open('cleo', '10002'),
      ];
      for (const page of [anna, ben, cleo]) await page.evaluate(() => globalThis.subscribe('absences'));
      assert.equal(await ben.evaluate(() => globalThis.realtime.core), core);

      const result = await anna.evaluate(() => globalThis.realtime.publish('absences', { from: 'Anna' }));
      assert.match(result.eventId, /^[0-9a-f]{16}-\d+$/);
      assert.equal(result.errors, undefined);
      const context = contextOf('anna', '10001');
      const fromResolver = await system.backend.publish('absences', 'from the resolver', { context });
      assert.equal(fromResolver.errors, undefined);
      for (const page of [anna, ben]) {
        await receivedCount(page, 2);
        assert.deepEqual(await received(page), [{ from: 'Anna' }, 'from the resolver']);
      }
      const [event] = await ben.evaluate(() => globalThis.received.map((message) => message.event));
      assert.equal(event.eventId, result.eventId);

      // The global channel proves that cleo's page is connected.
      for (const page of [ben, cleo]) {
        await page.evaluate(() =>
          globalThis.realtime.subscribeGlobal('news', (payload) => globalThis.received.push({ payload })),
        );
      }
      await system.backend.publishGlobal('news', { all: true }, { context });
      for (const page of [ben, cleo]) {
        await page.waitForFunction(() => globalThis.received.some(({ payload }) => payload.all));
      }
      assert.deepEqual(await received(cleo), [{ all: true }]);
      for (const page of [anna, ben, cleo]) assert.deepEqual(await problems(page), []);
    } finally {
      await system.stop();
    }
  });
}

test('each set of claims is a separate channel', async () => {
  const system = await startSystem();
  try {
    const context = contextOf('anna', '10001');
    const sign = async (claims, permissions) =>
      (await system.backend.signRealtimeToken('chat', claims, permissions, { context })).token;
    const [blue, sameBlue, red] = [
      await sign({ team: 'blue', level: 1 }),
      await sign({ level: 1, team: 'blue' }, ['subscribe']),
      await sign({ team: 'red', level: 1 }),
    ];
    const page = await system.open('anna');
    await page.evaluate((token) => globalThis.subscribe('chat', { token }), sameBlue);
    const publish = (token) =>
      page.evaluate(
        ([key, text]) => globalThis.realtime.publish('chat', text, key ? { token: key } : {}),
        token,
      );
    assert.equal((await publish([red, 'for red'])).errors, undefined);
    assert.equal((await publish([undefined, 'without claims'])).errors, undefined);
    assert.match((await publish([sameBlue, 'may not publish'])).errors[0], /PERMISSION_MISSING/);
    assert.equal((await publish([blue, 'for blue'])).errors, undefined);
    await receivedCount(page, 1);
    assert.deepEqual(await received(page), ['for blue']);
  } finally {
    await system.stop();
  }
});
