// An app with blind names: the relay receives no channel name, event name or context value, and pages in Chromium and functions
// of the app notice no difference.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf, createBackend } from './support/backend.mjs';
import { capture } from './support/capture.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

const SETTINGS = 'admin_listen = "127.0.0.1:0"\nlog = "debug"';
const DASHBOARD = 'secret-dashboard-10001';
const CHANNELS = ['secret-absences', 'secret-überall', 'secret-answers', 'secret-chat'];
const EVENTS = ['secret-added', 'secret-removed'];
/** The values of the context of `contextOf()`. The gadget and the module have values of their own below. */
const VALUES = [DASHBOARD, 'secret-gadget', 'secret-module'];
const context = {
  ...contextOf('anna', DASHBOARD, 'secret-gadget'),
  moduleKey: 'secret-module',
};

/** Starts a system whose pages and functions are in the context above. */
async function start(options) {
  const { record, texts } = capture();
  return { ...(await startSystem({ relay: SETTINGS, record, ...options })), texts };
}

/** Opens a page in the context above, whose sessions `change` may alter. */
async function open(system, change = (grant) => grant) {
  const page = await (await system.browser.newContext()).newPage();
  await page.exposeFunction('fetchSession', async (payload) => {
    const grant = await system.backend.session({ context, payload });
    const url = `ws://127.0.0.1:${system.proxy.port}/v1/realtime`;
    return change({ ...grant, url });
  });
  await page.exposeFunction('fetchToken', async () => {
    const { token } = await system.backend.signRealtimeToken('secret-chat', { team: 'blue' }, undefined, {
      context,
    });
    return token;
  });
  await page.goto(system.site.address('anna', DASHBOARD));
  await page.waitForFunction(() => globalThis.start);
  await page.evaluate(() => globalThis.start({ session: (request) => globalThis.fetchSession(request) }));
  return page;
}

/** Lets a page subscribe to channels of every kind, with everything that it receives in `globalThis.received`. */
async function subscribeEverywhere(page) {
  await page.evaluate(async () => {
    const take = (payload, error, event) => {
      if (error) globalThis.problems.push({ code: error.code, message: error.message });
      else globalThis.received.push({ payload, event });
    };
    const { realtime } = globalThis;
    await realtime.subscribe('secret-absences', take);
    await realtime.subscribe('secret-absences', take, { contextOverrides: ['dashboard'] });
    await realtime.subscribeGlobal('secret-überall', take);
    await realtime.subscribe('secret-chat', take, { token: () => globalThis.fetchToken() });
  });
}

const eventsOf = (page) =>
  page.evaluate(() => globalThis.received.map(({ payload, event }) => [payload, event.channel, event.name]));

async function publishEverything(system, pages) {
  const { backend } = system;
  const succeed = async (result) => assert.equal((await result).errors, undefined);
  await succeed(backend.publish('secret-absences', 'one', { context, eventName: 'secret-added' }));
  await succeed(backend.publish('secret-absences', 'two', { context, contextOverrides: ['dashboard'] }));
  await succeed(backend.publishGlobal('secret-überall', 'three', { context, eventName: 'secret-removed' }));
  const { token } = await backend.signRealtimeToken('secret-chat', { team: 'blue' }, undefined, { context });
  await succeed(backend.publish('secret-chat', 'four', { context, token }));
  for (const page of pages) await receivedCount(page, 4);
  const errors = await pages[0].evaluate(async () => {
    const { realtime } = globalThis;
    const results = [
      await realtime.publish('secret-absences', 'five', { eventName: 'secret-removed', idempotencyId: 'i' }),
      await realtime.publishGlobal('secret-überall', 'six'),
      await realtime.publish('secret-chat', 'seven', { token: () => globalThis.fetchToken() }),
    ];
    return results.flatMap(({ errors }) => errors ?? []);
  });
  assert.deepEqual(errors, []);
  for (const page of pages) await receivedCount(page, 7);
}

const EVERYTHING = [
  ['one', 'secret-absences', 'secret-added'],
  ['two', 'secret-absences', ''],
  ['three', 'secret-überall', 'secret-removed'],
  ['four', 'secret-chat', ''],
  ['five', 'secret-absences', 'secret-removed'],
  ['six', 'secret-überall', ''],
  ['seven', 'secret-chat', ''],
];

/** Reads a text stream in a page, which a function publishes. */
async function readStream(system, page) {
  const reading = page.evaluate(async () => {
    const stream = globalThis.realtime.stream('secret-answers', { id: 's' });
    globalThis.isReading = stream.ready.then(() => true);
    let text = '';
    for await (const part of stream) text += part;
    return text;
  });
  await page.waitForFunction(() => globalThis.isReading);
  await system.backend.publishStream('secret-answers', ['a ', 'stream'], { id: 's', context });
  assert.equal(await reading, 'a stream');
}

/** Returns everything that the relay has received, and that it has written about it. */
async function everythingAt(system) {
  const metrics = await fetch(`http://127.0.0.1:${system.relay.adminPort}/metrics`);
  const written = [system.relay.log(), await metrics.text()].map((text) =>
    Buffer.from(text).toString('latin1'),
  );
  return [...system.texts(), ...written];
}

const latin1 = (text) => Buffer.from(text).toString('latin1');
const namesIn = (texts) =>
  [...CHANNELS, ...EVENTS, ...VALUES].filter((name) => texts.some((text) => text.includes(latin1(name))));

/** Runs the whole exchange, and returns the names that the relay has received or written. */
async function exchange(options) {
  const system = await start(options);
  try {
    const pages = [await open(system), await open(system)];
    for (const page of pages) await subscribeEverywhere(page);
    await publishEverything(system, pages);
    for (const page of pages) {
      const inOrder = (list) => list.toSorted(([a], [b]) => a.localeCompare(b));
      assert.deepEqual(inOrder(await eventsOf(page)), inOrder(EVERYTHING));
      assert.deepEqual(await problems(page), []);
    }
    await readStream(system, pages[0]);

    await system.backend.rotateKey({ context });
    await system.backend.publish('secret-absences', 'rotated', { context, eventName: 'secret-added' });
    for (const page of pages) {
      await receivedCount(page, 8);
      assert.deepEqual((await received(page)).at(-1), 'rotated');
    }

    // The audit log has a line about this, and about a token that is refused.
    const ended = await system.backend.disconnect({ properties: { dashboard: DASHBOARD } }, { context });
    assert.equal(ended.errors, undefined);
    for (const page of pages) {
      await page.waitForFunction(() => globalThis.states.includes('reconnecting'));
      await page.waitForFunction(() => globalThis.states.at(-1) === 'connected', undefined, {
        timeout: 20_000,
      });
    }
    const bad = { ...context, extension: { ...context.extension, dashboard: { id: 'another' } } };
    const { token } = await system.backend.signRealtimeToken('secret-other', {}, undefined, { context: bad });
    const refused = await system.backend.publish('secret-chat', 'x', { context, token });
    assert.equal(refused.errors?.[0]?.code, 'TOKEN_CHANNEL');

    const texts = await everythingAt(system);
    assert.ok(
      texts.some((text) => text.includes('sessions revoked')),
      'the audit log is captured',
    );
    assert.ok(
      texts.some((text) => text.includes('TOKEN_CHANNEL')),
      'refusals are captured',
    );
    assert.ok(
      texts.some((text) => text.includes('sealwire_refusals_total')),
      'metrics are captured',
    );
    assert.ok(
      texts.some((text) => text.includes('"sub":"anna"')),
      'tokens are captured',
    );
    return namesIn(texts);
  } finally {
    await system.stop();
  }
}

for (const webAssembly of [true, false]) {
  const build = webAssembly ? 'WebAssembly' : 'plain JavaScript';
  test(`the relay receives no channel name, event name or context value (${build})`, async () => {
    assert.deepEqual(await exchange({ webAssembly, backend: { blindNames: true } }), []);
  });
}

test('without the option the same capture has every one of these names', async () => {
  const names = await exchange({ backend: { blindNames: false } });
  assert.deepEqual(names.toSorted(), [...CHANNELS, ...EVENTS, ...VALUES].toSorted());
});

test('a page that sends plain names is refused with a channel token, and hears nothing without one', async () => {
  const system = await start({ backend: { blindNames: true } });
  try {
    const honest = await open(system);
    await honest.evaluate(() => globalThis.subscribe('secret-absences'));
    const plain = await open(system, ({ nameTagKey, ...grant }) => (assert.ok(nameTagKey), grant));
    const outcome = await plain.evaluate(async () => {
      const refused = await globalThis.realtime
        .subscribe('secret-chat', () => {}, { token: await globalThis.fetchToken() })
        .catch((error) => error.code);
      await globalThis.subscribe('secret-absences');
      const { errors } = await globalThis.realtime.publish('secret-absences', 'from a plain page');
      return [refused, errors];
    });
    assert.deepEqual(outcome, ['TOKEN_CHANNEL', undefined]);
    await system.backend.publish('secret-absences', 'from the app', { context });
    await receivedCount(honest, 1);
    assert.deepEqual(await received(honest), ['from the app']);
    assert.deepEqual(await problems(honest), []);
    // The channel of the plain page has received its own message only.
    await plain.waitForFunction(() => globalThis.received.length === 1);
    assert.deepEqual(await received(plain), ['from a plain page']);
  } finally {
    await system.stop();
  }
});

test('a deployment that turns the option off ends open subscriptions with a reason, and new ones work', async () => {
  const system = await start({ backend: { blindNames: true } });
  try {
    const page = await open(system);
    await page.evaluate(() => globalThis.subscribe('secret-absences'));
    const { secrets, relay, proxy } = system;
    system.backend = createBackend(relay, proxy.port, { secrets, blindNames: false }).direct;
    // The session of the former deployment has tags, so the new one ends it by its account.
    await system.backend.disconnect({ accountId: 'anna' }, { context });
    await page.waitForFunction(() => globalThis.problems.length === 1, undefined, { timeout: 20_000 });
    const [{ code, message }] = await problems(page);
    assert.equal(code, 'TOKEN_IDENTITY');
    assert.match(message, /blindNames.*reload the page/);

    await page.evaluate(() => globalThis.subscribe('secret-absences'));
    await system.backend.publish('secret-absences', 'after', { context });
    await receivedCount(page, 1);
    assert.deepEqual(await received(page), ['after']);
  } finally {
    await system.stop();
  }
});
