// The lifetime of calls and of the connection.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, mustAccept, mustRefuse, mustReject, RECONNECT_TIMEOUT_MS, waitFor } from './expect.mjs';
import { issue } from './pages.mjs';

export const calls = {
  async 'a session that is refused for good rejects the call, and the next call requests another'({ page }) {
    let broken = true;
    const authorize = () => !broken;
    const ada = page({ context: issue('7'), authorize });
    await mustReject(
      ada.subscribe('n', () => {}),
      'PERMISSION_MISSING',
    );
    broken = false;
    await ada.subscribe('n', () => {});
    assert.equal(ada.state, 'connected');
  },

  async 'a page has a limit of subscriptions and of pending publishes'({ page, cut, restore }) {
    const ada = page({ context: issue('7'), requestTimeoutMs: 5_000 });
    const subscribe = (name) => ada.subscribe(name, () => {});
    const all = await Promise.all(Array.from({ length: 256 }, (_, n) => subscribe(`n${n}`)));
    await mustReject(subscribe('one more'), 'TOO_MANY_SUBSCRIPTIONS');
    await subscribe('n0');
    await all[1].unsubscribe();
    await subscribe('one more');

    cut();
    await waitFor(() => ada.state === 'reconnecting');
    const publishing = Array.from({ length: 129 }, (_, n) => ada.publish('n', { n }));
    await mustRefuse(publishing.pop(), 'RATE_LIMITED');
    restore();
    const results = await Promise.all(publishing.map(mustAccept));
    const offsets = results.map(({ eventId }) => Number(eventId.split('-')[1]));
    assert.deepEqual(
      offsets,
      offsets.toSorted((a, b) => a - b),
    );
  },

  async 'no message arrives after unsubscribe, and the state follows the connection'({ page }) {
    const ada = page({ context: issue('7'), idleCloseMs: 50 });
    const states = [ada.state];
    ada.onStateChange((state) => states.push(state));
    const { subscription, received } = await listen(ada, 'n');
    const other = await listen(ada, 'm');
    await subscription.unsubscribe();
    await mustAccept(ada.publish('n', 'x'));
    await mustAccept(ada.publish('m', 'y'));
    await other.receives(1);
    assert.deepEqual(received, []);
    await other.subscription.unsubscribe();
    await waitFor(() => ada.state === 'idle');
    await mustAccept(ada.publish('n', 'x'));
    ada.close();
    assert.deepEqual(states, [
      'idle',
      'connecting',
      'connected',
      'idle',
      'connecting',
      'connected',
      'closed',
    ]);
    await mustAccept(ada.publish('n', 'after'));
    ada.close();
  },

  async 'close() fails the pending calls'({ page, cut }) {
    const ada = page({ context: issue('7') });
    await ada.subscribe('n', () => {});
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    const publishing = ada.publish('n', 'x');
    const subscribing = ada.subscribe('m', () => {});
    await sleep(20);
    ada.close();
    await Promise.all([mustRefuse(publishing, 'CLOSED'), mustReject(subscribing, 'CLOSED')]);
    const { errors, mayHaveArrived } = await publishing;
    assert.match(errors[0], /[a-z]; the message was not sent\.$/);
    assert.equal(mayHaveArrived, false);
  },

  async 'a call that the relay does not answer in time fails with UNREACHABLE'({ page, cut }) {
    const ada = page({ context: issue('7'), requestTimeoutMs: 1_500 });
    await ada.subscribe('n', () => {});
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    await Promise.all([
      mustRefuse(ada.publish('n', 'x'), 'UNREACHABLE'),
      mustReject(
        ada.subscribe('m', () => {}),
        'UNREACHABLE',
      ),
    ]);
  },

  async 'a subscribe waits for the relay, and onState reports its state'({ page, cut, restore }) {
    const ada = page({ context: issue('7') });
    cut();
    const states = [];
    const options = { onState: (state) => states.push(state) };
    let subscription;
    const subscribing = ada.subscribe('n', () => {}, options).then((made) => (subscription = made));
    await sleep(400);
    assert.equal(subscription, undefined);
    restore();
    await subscribing;
    assert.equal(subscription.state, 'subscribed');
    cut();
    await waitFor(() => subscription.state === 'resuming');
    restore();
    await waitFor(() => subscription.state === 'subscribed', RECONNECT_TIMEOUT_MS);
    await subscription.unsubscribe();
    assert.equal(subscription.state, 'ended');
    assert.deepEqual(states, ['subscribed', 'resuming', 'subscribed', 'ended']);
  },

  async 'an aborted signal ends the wait of a call'({ page, cut, restore }) {
    const ada = page({ context: issue('7') });
    const { receives } = await listen(page({ context: issue('7') }), 'n');
    await ada.subscribe('m', () => {});
    cut();
    await waitFor(() => ada.state === 'reconnecting');
    const controller = new AbortController();
    const { signal } = controller;
    const received = [];
    const subscribing = ada.subscribe('n', (payload) => received.push(payload), { signal });
    const publishing = ada.publish('n', 'withdrawn', { signal });
    await sleep(20);
    controller.abort(new Error('The user left.'));
    await assert.rejects(subscribing, /The user left/);
    await mustRefuse(publishing, 'ABORTED');
    assert.equal((await publishing).mayHaveArrived, false);
    restore();
    await mustAccept(ada.publish('n', 'kept'));
    assert.deepEqual(await receives(1), ['kept']);
    assert.deepEqual(received, []);
  },

  async 'a slow session function is named in the error'({ page }) {
    const authorize = () => new Promise(() => {});
    const ada = page({ context: issue('7'), authorize, timeoutMs: 300 });
    const slow = { code: 'SESSION_UNAVAILABLE', message: /session function has not answered in time/ };
    await assert.rejects(
      ada.subscribe('n', () => {}),
      slow,
    );
    const result = await ada.publish('n', 'x');
    assert.match(result.errors[0], /^SESSION_UNAVAILABLE: .*session function has not answered/);
    assert.equal(result.mayHaveArrived, false);
  },
};
