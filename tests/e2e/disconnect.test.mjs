// The resolver's disconnect() ends sessions in the pages, which report the reason and reconnect only if the app permits it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setExamples } from './support/examples.mjs';

/** The longest reconnect delay that the relay names, plus the time of a reconnect. */
const MAX_RECONNECT_MS = 7_000;

const banned = new Set();
const examples = setExamples(({ accountId }) => !banned.has(accountId));

/** Opens a user's page on an issue and subscribes. Counts the page's sockets and calls to the backend. */
async function open(user, issue = user) {
  const view = { user, module: 'panel', issue, project: '3' };
  const asked = { sockets: 0, invocations: 0 };
  const page = await examples.open(view, (opened) => {
    opened.on('websocket', () => (asked.sockets += 1));
    opened.on('request', (request) => (asked.invocations += request.url().endsWith('/invoke') ? 1 : 0));
  });
  await page.evaluate(() => globalThis.examples.defaultContext());
  const get = (name) => page.evaluate((key) => globalThis[key], name);
  return {
    page,
    asked,
    get,
    announce: async (text) =>
      assert.equal((await examples.invoke(view, 'announce', { text })).errors, undefined),
    has: (name, count) =>
      page.waitForFunction(([key, least]) => globalThis[key].length >= least, [name, count]),
    isIn: (state, times = 1) =>
      page.waitForFunction(
        ([wanted, least]) => globalThis.states.filter((shown) => shown === wanted).length >= least,
        [state, times],
      ),
    disconnect: async (whom) => {
      const answer = await examples.invoke(view, 'disconnect', { user: whom });
      assert.deepEqual([typeof answer.before, answer.errors], ['number', undefined]);
    },
    /** Asserts that the page does not contact the backend or the relay, although there is time for a reconnect. */
    async staysAway() {
      const before = { ...asked };
      await sleep(MAX_RECONNECT_MS);
      assert.deepEqual(asked, before);
    },
  };
}

describe('a session that disconnect() ended', { concurrency: true }, () => {
  test('ends for good if the app refuses another one, until the app permits it', async () => {
    const ben = await open('ben', '7');
    const anna = await open('anna', '7');
    banned.add('ben');
    await anna.disconnect('ben');
    await ben.has('problems', 1);
    assert.deepEqual(await ben.get('problems'), ['PERMISSION_MISSING']);
    const states = ['connecting', 'connected', 'reconnecting REVOKED', 'idle PERMISSION_MISSING'];
    assert.deepEqual(await ben.get('states'), states);
    await anna.announce('without ben');
    await anna.has('received', 1);
    await ben.staysAway();
    assert.deepEqual([await ben.get('received'), ben.asked.sockets], [[], 1]);
    assert.deepEqual(
      [await anna.get('states'), await anna.get('problems')],
      [['connecting', 'connected'], []],
    );

    banned.delete('ben');
    await ben.page.evaluate(() => globalThis.examples.defaultContext());
    await anna.announce('with ben');
    await ben.has('received', 1);
    assert.deepEqual(await ben.get('received'), ['with ben']);
  });

  test('is replaced without a lost message if the app permits another one', async () => {
    const cleo = await open('cleo');
    await cleo.announce('before');
    await cleo.has('received', 1);
    await cleo.disconnect('cleo');
    await cleo.isIn('reconnecting REVOKED');
    await cleo.announce('meanwhile');
    await cleo.isIn('connected', 2);
    await cleo.announce('after');
    await cleo.has('received', 3);
    assert.deepEqual(await cleo.get('received'), ['before', 'meanwhile', 'after']);
    assert.deepEqual(await cleo.get('problems'), []);
    assert.equal(cleo.asked.sockets, 2);
  });

  test('ends with REVOKED if the next session is revoked at once as well', async () => {
    const dan = await open('dan');
    await dan.disconnect('dan');
    await dan.isIn('connected', 2);
    await dan.disconnect('dan');
    await dan.has('problems', 1);
    assert.deepEqual(await dan.get('problems'), ['REVOKED']);
    assert.equal((await dan.get('states')).at(-1), 'idle REVOKED');
    await dan.staysAway();
    assert.equal(dan.asked.sockets, 2);
  });
});
