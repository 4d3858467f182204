// Permissions, claims and lifetimes of channel tokens and sessions.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, mustAccept, mustRefuse, mustReject } from './expect.mjs';
import { issue } from './pages.mjs';

export const tokens = {
  async 'equal claims are one channel, whatever the order of their members'({ page, resolver }) {
    const context = issue('7');
    const sign = async (claims, can) =>
      (await resolver.signRealtimeToken('n', claims, can, { context })).token;
    const ada = page({ context });
    const blue = await listen(ada, 'n', { token: await sign({ team: 'blue', at: { b: [1, 2], a: null } }) });
    const none = await listen(ada, 'n');
    const same = await sign({ at: { a: null, b: [1, 2] }, team: 'blue' });
    await mustAccept(ada.publish('n', 'one', { token: same }));
    await mustAccept(ada.publish('n', 'for red', { token: await sign({ team: 'red' }) }));
    await mustAccept(resolver.publish('n', 'two', { token: same, context }));
    assert.deepEqual(await blue.receives(2), ['one', 'two']);
    assert.deepEqual(none.received, []);
  },

  async 'a channel token permits only what it was signed for, and only on its channel'({ page, resolver }) {
    const context = issue('7');
    const sign = async (can) => (await resolver.signRealtimeToken('n', { a: 1 }, can, { context })).token;
    const ada = page({ context });
    await mustRefuse(ada.publish('n', 'x', { token: await sign(['subscribe']) }), 'PERMISSION_MISSING');
    await mustRefuse(
      resolver.publish('n', 'x', { token: await sign(['subscribe']), context }),
      'PERMISSION_MISSING',
    );
    await mustReject(
      ada.subscribe('n', () => {}, { token: await sign(['publish']) }),
      'PERMISSION_MISSING',
    );
    await mustReject(
      ada.subscribe('m', () => {}, { token: await sign() }),
      'TOKEN_CHANNEL',
    );
    await mustReject(
      ada.subscribe('n', () => {}, { token: 'no token' }),
      'TOKEN_MALFORMED',
    );
  },

  async 'a session permits only what the app authorized'({ page }) {
    const context = issue('7');
    const reader = page({ context, authorize: () => ({ subscribe: true }) });
    await reader.subscribe('n', () => {});
    await mustRefuse(reader.publish('n', 'x'), 'PERMISSION_MISSING');
    const writer = page({ context, authorize: ({ accountId }) => ({ publish: accountId === 'ada' }) });
    await mustAccept(writer.publish('n', 'x'));
    await mustReject(
      writer.subscribe('n', () => {}),
      'PERMISSION_MISSING',
    );
    const nobody = page({ context, authorize: () => false });
    await mustReject(
      nobody.subscribe('n', () => {}),
      'PERMISSION_MISSING',
    );
    await mustRefuse(nobody.publish('n', 'x'), 'PERMISSION_MISSING');
    assert.equal(nobody.state, 'idle');
  },

  async 'subscriptions of one channel end with their own tokens'({ page, resolver }) {
    const context = issue('7');
    const ada = page({ context });
    const sign = async (lifetimeSeconds, can) =>
      (await resolver.signRealtimeToken('n', { a: 1 }, can, { context, lifetimeSeconds })).token;
    const stays = await listen(ada, 'n', { token: await sign(60) });
    const ends = await listen(ada, 'n', { token: await sign(2) });
    await mustReject(
      ada.subscribe('n', () => {}, { token: await sign(60, ['publish']) }),
      'PERMISSION_MISSING',
    );
    await mustAccept(resolver.publish('n', 'to both', { context, token: await sign(60) }));
    assert.deepEqual(await ends.receives(2), ['to both', 'TOKEN_EXPIRED']);
    await mustAccept(resolver.publish('n', 'to one', { context, token: await sign(60) }));
    assert.deepEqual(await stays.receives(2), ['to both', 'to one']);
    assert.equal(ends.received.length, 2);
  },

  async 'a subscription lasts as long as its token, or as its renewals'({ page, resolver }) {
    const context = issue('7');
    const sign = async (lifetimeSeconds, claims = { a: 1 }) =>
      (await resolver.signRealtimeToken('n', claims, undefined, { context, lifetimeSeconds })).token;
    const ada = page({ context });
    const ends = await listen(page({ context }), 'n', { token: await sign(2) });
    const renewed = await listen(ada, 'n', { token: await sign(2) });
    await mustReject(renewed.subscription.refreshToken(await sign(60, { a: 2 })), 'TOKEN_IDENTITY');
    await mustReject(renewed.subscription.refreshToken('no token'), 'TOKEN_MALFORMED');
    await renewed.subscription.refreshToken(await sign(60));
    let asked = 0;
    const asking = await listen(page({ context }), 'n', { token: () => ((asked += 1), sign(2)) });
    assert.deepEqual(await ends.receives(1), ['TOKEN_EXPIRED']);
    await sleep(1_500);
    await mustAccept(resolver.publish('n', 'x', { context, token: await sign(60) }));
    assert.deepEqual(await renewed.receives(1), ['x']);
    assert.deepEqual(await asking.receives(1), ['x']);
    assert.ok(asked >= 2, `${asked}`);
    assert.deepEqual(ends.received, ['TOKEN_EXPIRED']);
    await mustReject(ends.subscription.refreshToken(await sign(60)), 'NOT_SUBSCRIBED');
  },

  async 'a token function is called for publishes as well, and its failure fails the call'({
    page,
    resolver,
  }) {
    const context = issue('7');
    const ada = page({ context });
    const token = async () => (await resolver.signRealtimeToken('n', { a: 1 }, undefined, { context })).token;
    const { receives } = await listen(ada, 'n', { token });
    await mustAccept(ada.publish('n', 'x', { token }));
    assert.deepEqual(await receives(1), ['x']);
    const broken = () => Promise.reject(new Error('Of the app.'));
    await mustRefuse(ada.publish('n', 'x', { token: broken }), 'SESSION_UNAVAILABLE');
    await mustReject(
      ada.subscribe('n', () => {}, { token: broken }),
      'SESSION_UNAVAILABLE',
    );
  },
};
