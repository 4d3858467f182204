// The hooks of sealwire/react while a component changes its channel, claims or connection: a handler receives only messages
// of its render's subscription, and never shows the status of another one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { REACTS } from './support/react-pages.mjs';
import { startSystem } from './support/system.mjs';

let system;
before(async () => (system = await startSystem()));
after(() => system.stop());

const jwt = (tag, id) => `h.${Buffer.from(JSON.stringify({ tag, id })).toString('base64url')}.s~k`;
const A = { label: 'a', channel: 'a' };
const B = { label: 'b', channel: 'b' };

/** Opens the page with a room, and confirms its subscription. */
async function subscribed(version, room = A, around = {}) {
  const page = await system.openPage(`react-scripted-${version}`, 'render');
  await page.evaluate(([props, given]) => globalThis.render(props, given), [room, around]);
  await confirm(page, 0);
  await shows(page, `${room.label} subscribed`);
  return page;
}

/** Waits for a subscription and confirms it. */
async function confirm(page, index, connection = 'first') {
  await page.waitForFunction(([name, at]) => globalThis.connections[name].made[at], [connection, index]);
  await page.evaluate(([name, at]) => globalThis.connections[name].made[at].confirm(), [connection, index]);
}

const shows = (page, text) =>
  page.waitForFunction((wanted) => document.querySelector('output')?.textContent === wanted, text);
const received = (page) => page.evaluate(() => globalThis.received);
const live = (page) =>
  page.evaluate(() => globalThis.connections.first.made.filter((one) => one.live).map((one) => one.channel));

/** Delivers a message of the first subscription at each commit, before React runs the effects that subscribe. */
const deliverLate = (page) =>
  page.evaluate(() => {
    globalThis.onCommit = () => globalThis.connections.first.made[0].callback('late');
  });

for (const version of REACTS) {
  const switches = {
    'another channel': [A, B],
    'a token of other claims': [
      { ...A, options: { token: jwt('blue', 1) } },
      { ...B, channel: 'a', options: { token: jwt('red', 2) } },
    ],
    'another connection': [A, { ...B, channel: 'a' }, 'second'],
    'no channel': [A, { ...B, channel: null }],
  };
  for (const [what, [from, to, connection = 'first']] of Object.entries(switches)) {
    test(`after a switch to ${what} the new handler receives nothing of the previous subscription (React ${version})`, async () => {
      const page = await subscribed(version, from);
      await deliverLate(page);
      await page.evaluate(([props, given]) => globalThis.render(props, given), [to, { connection }]);
      if (to.channel) {
        const index = connection === 'first' ? 1 : 0;
        await confirm(page, index, connection);
        await shows(page, 'b subscribed');
        await page.evaluate(
          ([name, at]) => globalThis.connections[name].made[at].callback('new'),
          [connection, index],
        );
      } else await shows(page, 'b off');
      assert.deepEqual(await received(page), to.channel ? ['b: new'] : []);
    });
  }

  test(`a token with the same claims renews the subscription without a missed message (React ${version})`, async () => {
    const page = await subscribed(version, { ...A, options: { token: jwt('blue', 1) } });
    await deliverLate(page);
    const token = jwt('blue', 2);
    await page.evaluate((props) => globalThis.render(props), { ...A, label: 'again', options: { token } });
    await page.waitForFunction(() => globalThis.connections.first.made[0].refreshed.length > 0);
    assert.deepEqual(await received(page), ['again: late']);
    const made = await page.evaluate(() =>
      globalThis.connections.first.made.map(({ refreshed }) => refreshed),
    );
    assert.deepEqual(made, [[token]]);
  });

  test(`a render that is not committed changes neither handler nor subscription (React ${version})`, async () => {
    const page = await subscribed(version);
    const { made, messages } = await page.evaluate(
      async (props) => {
        const { made } = globalThis.connections.first;
        globalThis.React.startTransition(() => globalThis.render({ ...props, suspended: true }));
        await new Promise((resolve) => setTimeout(resolve, 100));
        made[0].callback('one');
        return { made: made.length, messages: globalThis.received };
      },
      { label: 'never', channel: 'b' },
    );
    assert.deepEqual([made, messages], [1, ['a: one']]);
  });

  test(`a component that a message unmounts receives no further message of the batch (React ${version})`, async () => {
    const page = await subscribed(version);
    const messages = await page.evaluate(() => {
      const [one] = globalThis.connections.first.made;
      globalThis.onMessage = () => globalThis.flushSync(() => globalThis.render(null));
      one.callback('first');
      one.callback('second');
      return globalThis.received;
    });
    assert.deepEqual(messages, ['a: first']);
    assert.deepEqual(await live(page), []);
    assert.equal(await page.evaluate(() => globalThis.connections.first.listening()), 0);
  });

  test(`a component that returns to a channel shows its new subscription (React ${version})`, async () => {
    const page = await subscribed(version);
    await page.evaluate((props) => globalThis.render(props), B);
    await shows(page, 'b subscribing');
    await page.evaluate(() => (globalThis.commits.length = 0));
    await page.evaluate((props) => globalThis.render(props), A);
    await page.waitForFunction(() => globalThis.connections.first.made.length === 3);
    await shows(page, 'a subscribing');
    assert.ok(!(await page.evaluate(() => globalThis.commits)).some((commit) => / subscribed/.test(commit)));
    // A subscription that is confirmed after its component left it must not be shown.
    await confirm(page, 1);
    await confirm(page, 2);
    await shows(page, 'a subscribed');
    assert.deepEqual(await live(page), ['a']);
  });

  test(`a publish function publishes to the channel of its render (React ${version})`, async () => {
    const page = await subscribed(version);
    await page.evaluate((props) => globalThis.render(props), { ...A, options: { replaySeconds: 1 } });
    await page.evaluate((props) => globalThis.render(props), B);
    await shows(page, 'b subscribing');
    const { published, publishers } = await page.evaluate(async () => {
      const publishers = [...new Set(globalThis.publishers)];
      for (const publish of publishers) await publish('x');
      return { published: globalThis.connections.first.published, publishers: publishers.length };
    });
    assert.equal(publishers, 2);
    assert.deepEqual(
      published.map(([channel]) => channel),
      ['a', 'b'],
    );
  });

  test(`the hooks follow the state of their connection until it is closed (React ${version})`, async () => {
    const page = await subscribed(version);
    await page.evaluate((props) => globalThis.render(props, { connection: 'second' }), A);
    await confirm(page, 0, 'second');
    await shows(page, 'a subscribed');
    assert.equal(await page.evaluate(() => globalThis.connections.first.listening()), 0);
    await page.evaluate(() => {
      globalThis.connections.first.show('closed');
      globalThis.connections.second.show('reconnecting');
    });
    await page.waitForFunction(() => globalThis.commits.at(-1) === 'a subscribed reconnecting');
    await page.evaluate(() => globalThis.connections.second.show('closed'));
    await page.waitForFunction(() => globalThis.commits.at(-1) === 'a ended CLOSED closed');
    await page.evaluate(() => globalThis.connections.second.made[0].callback('after'));
    assert.deepEqual(await received(page), []);
  });

  // React has Activity since version 19.2.
  if (version === '18') continue;
  test(`a hidden component is off, and subscribes again when it is shown (React ${version})`, async () => {
    const page = await subscribed(version, A, { hidden: false });
    await page.evaluate((props) => globalThis.render(props, { hidden: true }), A);
    await shows(page, 'a off');
    assert.deepEqual(await live(page), []);
    await page.evaluate(() => {
      globalThis.connections.first.made[0].callback('while hidden');
      globalThis.commits.length = 0;
    });
    await page.evaluate((props) => globalThis.render(props, { hidden: false }), A);
    await shows(page, 'a subscribing');
    await confirm(page, 1);
    await shows(page, 'a subscribed');
    await page.evaluate(() => globalThis.connections.first.made[1].callback('shown again'));
    assert.deepEqual(await received(page), ['a: shown again']);
    const commits = await page.evaluate(() => globalThis.commits);
    const confirmed = commits.indexOf('a subscribed connected');
    assert.ok(confirmed > 0 && commits[confirmed - 1] === 'a subscribing connected', commits.join(', '));
    assert.deepEqual(await live(page), ['a']);
  });
}
