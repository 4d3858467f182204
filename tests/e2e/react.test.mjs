// The hooks of sealwire/react under StrictMode against a real relay, with each supported version of React.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { REACTS } from './support/react-pages.mjs';
import { startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');

/** Opens a page with the component, and waits until its subscription shows `status`. */
async function mounted(system, version, name, props, status = 'subscribed') {
  const page = await system.openPage(`react-${version}`, 'render');
  await render(page, name, props);
  await shows(page, status);
  return page;
}

const render = (page, name, props) =>
  page.evaluate(([component, given]) => globalThis.render(component, given), [name, props]);
const shows = (page, text) =>
  page.waitForFunction((wanted) => document.querySelector('output')?.textContent.startsWith(wanted), text, {
    timeout: 20_000,
  });
const sent = (page, kind) =>
  page.evaluate((wanted) => globalThis.sent.filter((one) => one === wanted).length, kind);
const sentCount = (page, kind, count) =>
  page.waitForFunction(
    ([wanted, least]) => globalThis.sent.filter((one) => one === wanted).length >= least,
    [kind, count],
  );

async function publish(system, text, options = {}, name = 'absences') {
  const { errors } = await system.backend.publish(name, text, { context, ...options });
  assert.equal(errors, undefined);
}

async function received(page, expected) {
  await page.waitForFunction((count) => globalThis.received.length >= count, expected.length);
  assert.deepEqual(await page.evaluate(() => globalThis.received), expected);
}

for (const version of REACTS) {
  test(`under StrictMode a component has one subscription, receives each message once, and unsubscribes when it unmounts (React ${version})`, async () => {
    const system = await startSystem();
    try {
      const page = await mounted(system, version, 'Channel', { label: 'a', channel: 'absences' });
      await publish(system, 'one');
      await received(page, ['a: one']);
      assert.equal(await sent(page, 'hello'), 1);
      assert.equal(await sent(page, 'subscribe'), 1);
      assert.equal(await sent(page, 'unsubscribe'), 0);

      await render(page, null);
      await sentCount(page, 'unsubscribe', 1);
      await publish(system, 'two');
      await render(page, 'Channel', { label: 'again', channel: 'absences' });
      await shows(page, 'subscribed');
      await publish(system, 'three');
      await received(page, ['a: one', 'again: three']);
      assert.equal(await sent(page, 'subscribe'), 2);
      assert.equal(await sent(page, 'unsubscribe'), 1);
    } finally {
      await system.stop();
    }
  });

  test(`a new callback keeps the subscription, and a new channel or option replaces it (React ${version})`, async () => {
    const system = await startSystem();
    try {
      const page = await mounted(system, version, 'Channel', { label: 'first', channel: 'absences' });
      for (let n = 0; n < 5; n += 1) {
        await render(page, 'Channel', { label: `render ${n}`, channel: 'absences', options: {} });
      }
      await publish(system, 'one');
      await received(page, ['render 4: one']);
      assert.equal(await sent(page, 'subscribe'), 1);
      assert.equal(await page.evaluate(() => globalThis.publishers.size), 1);

      await render(page, 'Channel', { label: 'other', channel: 'rotation' });
      await sentCount(page, 'subscribe', 2);
      await shows(page, 'subscribed');
      await sentCount(page, 'unsubscribe', 1);
      await publish(system, 'for nobody');
      await publish(system, 'two', {}, 'rotation');
      await received(page, ['render 4: one', 'other: two']);

      const options = { contextOverrides: ['dashboard'] };
      await render(page, 'Channel', { label: 'wide', channel: 'rotation', options });
      await sentCount(page, 'subscribe', 3);
      await shows(page, 'subscribed');
      await publish(system, 'three', options, 'rotation');
      await page.evaluate(() => globalThis.publish('four'));
      await received(page, ['render 4: one', 'other: two', 'wide: three', 'wide: four']);

      await render(page, 'Channel', { label: 'off', channel: null });
      await shows(page, 'off');
      await sentCount(page, 'unsubscribe', 3);
      assert.deepEqual(await page.evaluate(() => globalThis.problems), []);
    } finally {
      await system.stop();
    }
  });

  test(`an edited component keeps its subscription (React ${version})`, async () => {
    const system = await startSystem();
    try {
      const page = await mounted(system, version, 'Channel', { label: 'a', channel: 'absences' });
      await page.evaluate(() => globalThis.edit());
      await publish(system, 'one');
      await received(page, ['a, edited: one']);
      assert.equal(await sent(page, 'subscribe'), 1);
      assert.equal(await sent(page, 'unsubscribe'), 0);
    } finally {
      await system.stop();
    }
  });

  test(`a refused subscription shows its error, and separate handlers receive messages and errors (React ${version})`, async () => {
    const system = await startSystem();
    try {
      const refused = { label: 'a', channel: 'absences', options: { contextOverrides: ['board'] } };
      const page = await mounted(system, version, 'Channel', refused, 'failed SCOPE_REFUSED');
      assert.equal(await sent(page, 'subscribe'), 0);
      await render(page, 'Handlers', { channel: 'news' });
      await shows(page, 'subscribed');
      await system.backend.publishGlobal('news', 'one', { context });
      await received(page, ['news: one']);
    } finally {
      await system.stop();
    }
  });

  test(`a new token renews the subscription, and a token with other claims replaces it (React ${version})`, async () => {
    const system = await startSystem();
    try {
      const sign = async (team, lifetimeSeconds) => {
        const options = { context, lifetimeSeconds };
        return (await system.backend.signRealtimeToken('absences', { team }, undefined, options)).token;
      };
      const props = (token) => ({ label: 'a', channel: 'absences', options: { token } });
      const page = await mounted(system, version, 'Channel', props(await sign('blue', 3)));
      await render(page, 'Channel', props(await sign('blue', 60)));
      await page.waitForTimeout(4_000);
      await publish(system, 'one', { token: await sign('blue', 60) });
      await received(page, ['a: one']);
      assert.equal(await sent(page, 'subscribe'), 1);

      await render(page, 'Channel', props(await sign('red', 60)));
      await sentCount(page, 'subscribe', 2);
      await shows(page, 'subscribed');
      await publish(system, 'for blue', { token: await sign('blue', 60) });
      await publish(system, 'two', { token: await sign('red', 60) });
      await received(page, ['a: one', 'a: two']);

      await render(page, 'Channel', props(await sign('red', 3)));
      await shows(page, 'ended TOKEN_EXPIRED');
      await render(page, 'Channel', props(await sign('red', 60)));
      await shows(page, 'subscribed');
    } finally {
      await system.stop();
    }
  });

  test(`a signal ends a publish of the hook before, during and not after the call (React ${version})`, async () => {
    const system = await startSystem();
    try {
      const page = await mounted(system, version, 'Channel', { label: 'a', channel: 'absences' });
      const outcomes = await page.evaluate(async () => {
        const codes = ({ errors }) => errors?.map((error) => error.split(':')[0]) ?? [];
        const controller = new AbortController();
        const before = await globalThis.publish('early', { signal: AbortSignal.abort() });
        const during = globalThis.publish('withdrawn', { signal: controller.signal });
        controller.abort();
        const after = new AbortController();
        const sent = await globalThis.publish('sent', { signal: after.signal });
        after.abort();
        return [codes(before), codes(await during), codes(sent)];
      });
      assert.deepEqual(outcomes, [['ABORTED'], ['ABORTED'], []]);
      await received(page, ['a: sent']);
    } finally {
      await system.stop();
    }
  });

  test(`onResumed of the last render hears of a resume (React ${version})`, async () => {
    const system = await startSystem();
    try {
      const page = await mounted(system, version, 'Channel', { label: 'a', channel: 'absences' });
      await render(page, 'Channel', { label: 'b', channel: 'absences' });
      system.proxy.cut();
      await shows(page, 'subscribed reconnecting');
      await publish(system, 'missed');
      system.proxy.restore();
      await received(page, ['b: missed']);
      assert.deepEqual(await page.evaluate(() => globalThis.resumed), ['b: true']);
      assert.equal(await sent(page, 'subscribe'), 2, 'the options of another render start no subscription');
    } finally {
      await system.stop();
    }
  });

  test(`useRealtimeState renders the state of the connection (React ${version})`, async () => {
    const system = await startSystem();
    try {
      const page = await mounted(
        system,
        version,
        'Channel',
        { label: 'a', channel: 'absences' },
        'subscribed connected',
      );
      system.proxy.cut();
      await shows(page, 'subscribed reconnecting');
      system.proxy.restore();
      await shows(page, 'subscribed connected');
      await publish(system, 'one');
      await received(page, ['a: one']);
      const states = await page.evaluate(() => globalThis.states);
      assert.deepEqual(states, ['idle', 'connecting', 'connected', 'reconnecting', 'connected']);
    } finally {
      await system.stop();
    }
  });
}

for (const version of REACTS) {
  test(`under StrictMode a component is one member, updates its data, and leaves when it unmounts (React ${version})`, async () => {
    const system = await startSystem({ backend: { authorize: () => ({ presence: true }) } });
    try {
      const anna = await mounted(system, version, 'Members', { data: 'anna' }, 'open anna');
      const ben = await mounted(system, version, 'Members', { enter: false }, 'open anna');
      assert.deepEqual([await sent(anna, 'watch'), await sent(anna, 'enter')], [1, 1]);
      assert.deepEqual([await sent(anna, 'leave'), await sent(ben, 'enter')], [0, 0]);
      await render(anna, 'Members', { data: 'anna again' });
      await shows(ben, 'open anna again');
      await render(ben, 'Members', { data: 'ben' });
      await shows(anna, 'open anna again ben');
      await render(anna, null);
      await shows(ben, 'open ben');
      assert.equal(await sent(anna, 'leave'), 1);
    } finally {
      await system.stop();
    }
  });

  test(`usePublish and usePresence sign, and components name verified senders and members (React ${version})`, async () => {
    const system = await startSystem({
      backend: { authorize: () => ({ subscribe: true, publish: true, presence: true }) },
    });
    try {
      const channel = (label, more) => ({ label, channel: 'absences', ...more });
      const anna = await mounted(
        system,
        version,
        'Channel',
        channel('anna', { publishOptions: { signed: true } }),
      );
      const ben = await mounted(
        system,
        version,
        'Channel',
        channel('ben', { options: { senders: 'verified' } }),
      );
      const publishAs = (page, text) => page.evaluate((given) => globalThis.publish(given), text);
      assert.equal((await publishAs(anna, 'signed')).errors, undefined);
      assert.equal((await publishAs(ben, 'unsigned')).errors, undefined);
      await received(anna, ['anna: signed', 'anna: unsigned']);
      await ben.waitForFunction(() => globalThis.problems.length === 1);
      await received(ben, ['ben: signed']);
      assert.deepEqual(await ben.evaluate(() => [globalThis.senders, globalThis.problems]), [
        ['anna'],
        ['SENDER_UNVERIFIED'],
      ]);
      assert.deepEqual(await anna.evaluate(() => globalThis.senders), ['anna', null]);

      await render(anna, 'Members', { data: 'one', options: { signed: true } });
      await shows(anna, 'open one of anna');
      await render(ben, 'Members', { data: 'two', options: { members: 'verified' } });
      await shows(anna, 'open one of anna two');
      await shows(ben, 'open one of anna');
      await render(ben, 'Members', { data: 'two' });
      await shows(ben, 'open one of anna two');
    } finally {
      await system.stop();
    }
  });

  test(`a new token renews a presence, also one that has ended, and a token with other claims opens another (React ${version})`, async () => {
    const system = await startSystem({ backend: { authorize: () => ({ presence: true }) } });
    try {
      const sign = async (team, lifetimeSeconds) => {
        const options = { context, lifetimeSeconds };
        return (await system.backend.signRealtimeToken('board', { team }, ['presence'], options)).token;
      };
      const props = (token) => ({ data: 'anna', options: { token } });
      const page = await mounted(system, version, 'Members', props(await sign('blue', 60)), 'open anna');
      const watcher = await mounted(
        system,
        version,
        'Members',
        { enter: false, options: { token: await sign('blue', 60) } },
        'open anna',
      );
      await render(page, 'Members', props(await sign('blue', 5)));
      await page.waitForFunction(() => globalThis.problems.includes('TOKEN_EXPIRED'), null, {
        timeout: 20_000,
      });
      await shows(page, 'failed TOKEN_EXPIRED');
      await shows(watcher, 'open');
      assert.equal(await sent(page, 'watch'), 1, 'the first two tokens are of one presence');
      await render(page, 'Members', props(await sign('blue', 60)));
      await shows(page, 'open anna');
      await shows(watcher, 'open anna');
      await render(page, 'Members', props(await sign('red', 60)));
      await sentCount(page, 'watch', 3);
      await shows(page, 'open anna');
      await watcher.waitForFunction(() => document.querySelector('output').textContent === 'open');
    } finally {
      await system.stop();
    }
  });
}
