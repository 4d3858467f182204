// Replay, resumption and gaps.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, mustAccept, mustReject, RECONNECT_TIMEOUT_MS, waitFor } from './expect.mjs';
import { issue } from './pages.mjs';

export const continuity = {
  async 'a subscription replays recent messages, and reports a gap if some may be missing'({ page }) {
    const ada = page({ context: issue('7') });
    for (const n of [1, 2, 3]) await mustAccept(ada.publish('n', { n }));
    await sleep(1_200);
    // The relay is a second old, and does not know the four seconds before.
    const unsure = await listen(ada, 'n', { replaySeconds: 5 });
    assert.deepEqual(await unsure.receives(4), ['GAP', { n: 1 }, { n: 2 }, { n: 3 }]);
    assert.equal(unsure.errors[0].gap.from, null);
    const late = page({ context: issue('7') });
    await mustAccept(ada.publish('n', { n: 4 }));
    const sure = await listen(late, 'n', { replaySeconds: 1 });
    assert.deepEqual(await sure.receives(1), [{ n: 4 }]);
    await mustAccept(ada.publish('n', { n: 5 }));
    assert.deepEqual(await sure.receives(2), [{ n: 4 }, { n: 5 }]);
    assert.deepEqual((await unsure.receives(6)).slice(4), [{ n: 4 }, { n: 5 }]);
    await mustReject(
      ada.subscribe('n', () => {}, { replaySeconds: 7 }),
      'REPLAY_TOO_LONG',
    );
  },

  async 'a client that was cut off gets every message, once and in order'({ page, resolver, cut, restore }) {
    const context = issue('7');
    const ada = page({ context });
    const { receives, received } = await listen(ada, 'n');
    const publish = (n) => mustAccept(resolver.publish('n', { n }, { context }));
    await publish(0);
    await receives(1);
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    for (const n of [1, 2, 3]) await publish(n);
    const waiting = ada.publish('n', { n: 4 });
    await sleep(50);
    assert.equal(received.length, 1);
    restore();
    await mustAccept(waiting);
    await publish(5);
    assert.deepEqual(
      await receives(6),
      [0, 1, 2, 3, 4, 5].map((n) => ({ n })),
    );
    assert.equal(ada.state, 'connected');
  },

  async 'a client that was cut off past the replay window reports a gap'({
    page,
    resolver,
    cut,
    restore,
    outlastWindow,
  }) {
    const context = issue('7');
    const { receives, errors } = await listen(page({ context }), 'n');
    const publish = (n) => mustAccept(resolver.publish('n', { n }, { context }));
    await publish(0);
    await receives(1);
    cut();
    await publish(1);
    await outlastWindow();
    restore();
    // The reconnect may take longer than the replay window.
    await receives(2);
    await publish(2);
    assert.deepEqual(await receives(3), [{ n: 0 }, 'GAP', { n: 2 }]);
    const { from, to, reason } = errors[0].gap;
    assert.equal(reason, 'evicted');
    assert.equal(from.epoch, to.epoch);
    assert.ok(BigInt(to.offset) > BigInt(from.offset));
  },

  async 'a resume follows the state and the gap, precedes later messages, and says whether all was recovered'({
    page,
    resolver,
    cut,
    restore,
    outlastWindow,
  }) {
    const context = issue('7');
    const heard = [];
    const ada = page({ context });
    await ada.subscribe('n', ({ n }) => heard.push(n), {
      onState: (state) => heard.push(state),
      onGap: (error) => heard.push(error.code),
      onResumed: ({ recovered }) => heard.push({ recovered }),
    });
    const publish = (n) => mustAccept(resolver.publish('n', { n }, { context }));
    await publish(0);
    await waitFor(() => heard.length === 2);
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    await publish(1);
    restore();
    await waitFor(() => heard.length === 6, RECONNECT_TIMEOUT_MS);
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    await publish(2);
    await outlastWindow();
    restore();
    await waitFor(() => heard.length === 10, RECONNECT_TIMEOUT_MS);
    await publish(3);
    await waitFor(() => heard.length === 11);
    assert.deepEqual(heard, [
      ...['subscribed', 0],
      ...['resuming', 'subscribed', { recovered: true }, 1],
      ...['resuming', 'subscribed', 'GAP', { recovered: false }, 3],
    ]);
  },

  async 'a restart of the relay is a gap for every subscription'({ page, resolver, restart }) {
    const context = issue('7');
    const { receives, errors } = await listen(page({ context }), 'n');
    await mustAccept(resolver.publish('n', 'one', { context }));
    await receives(1);
    await restart();
    await receives(2);
    await mustAccept(resolver.publish('n', 'two', { context }));
    assert.deepEqual(await receives(3), ['one', 'GAP', 'two']);
    const { from, to, reason } = errors[0].gap;
    assert.equal(reason, 'epoch');
    assert.notEqual(from.epoch, to.epoch);
  },

  async 'a text stream arrives complete through a cut, and for a late reader'({
    page,
    resolver,
    cut,
    restore,
  }) {
    const context = issue('7');
    const options = { id: 'a', replaySeconds: 5 };
    const ada = page({ context });
    const stream = ada.stream('n', options);
    await stream.ready;
    const publisher = resolver.createStream('n', { id: 'a', context, publishesPerSecond: 50 });
    await publisher.write('one ');
    assert.equal((await stream.next()).value, 'one ');
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    await publisher.write('two ');
    await sleep(100);
    restore();
    await publisher.write('three');
    await publisher.end();
    assert.equal(await stream.text(), 'two three');
    assert.equal(await page({ context }).stream('n', options).text(), 'one two three');
  },
};
