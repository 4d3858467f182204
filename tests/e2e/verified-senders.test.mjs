// Messages of functions, of pages, and of a member that has the keys of the installation's messages but not its signing key.
// Pages in Chromium tell them apart, through a relay.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { contextOf, publisherThrough } from './support/backend.mjs';
import { startSystem } from './support/system.mjs';

/** Returns a function that publishes as a holder of the encryption keys with signing keys of its own. */
function forger(system) {
  const signing = () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { d, x, y } = privateKey.export({ format: 'jwk' });
    return { d, x, y };
  };
  const secrets = {
    read: async (installation) => {
      const secret = await system.secrets.read(installation);
      return { ...secret, keys: secret.keys.map((key) => ({ ...key, signing: signing() })) };
    },
  };
  return publisherThrough(system, fetch, secrets);
}

/** Subscribes with `senders`, and lists what the callback gets. */
const subscribe = (page, senders) =>
  page.evaluate(async (accepted) => {
    const events = (globalThis.events = []);
    const options = accepted === undefined ? {} : { senders: accepted };
    await globalThis.realtime.subscribe(
      'absences',
      (payload, error, event) => events.push([error?.code ?? payload.number, event?.sender ?? null]),
      options,
    );
  }, senders);

const events = async (page, count) => {
  await page.waitForFunction((wanted) => globalThis.events.length >= wanted, count);
  return page.evaluate(() => globalThis.events);
};

const FUNCTION = { kind: 'function' };

for (const webAssembly of [true, false]) {
  const build = webAssembly ? 'WebAssembly' : 'plain JavaScript';

  test(`a page knows the messages of functions, and takes no others if it wants (${build})`, async () => {
    const system = await startSystem({ webAssembly });
    try {
      const [any, strict] = [await system.open('anna'), await system.open('ben')];
      await subscribe(any);
      await subscribe(strict, 'function');
      const publish = publisherThrough(system, fetch);
      const forge = forger(system);
      assert.equal((await publish({ number: 1 })).errors, undefined);
      await any.evaluate(() => globalThis.realtime.publish('absences', { number: 2 }));
      assert.equal((await forge({ number: 3 })).errors, undefined);
      await system.backend.rotateKey({ context: contextOf('x', '10001') });
      assert.equal((await publish({ number: 4 })).errors, undefined);

      assert.deepEqual(await events(any, 4), [
        [1, FUNCTION],
        [2, null],
        ['MESSAGE_UNREADABLE', null],
        [4, FUNCTION],
      ]);
      assert.deepEqual(await events(strict, 4), [
        [1, FUNCTION],
        ['SENDER_UNVERIFIED', null],
        ['MESSAGE_UNREADABLE', null],
        [4, FUNCTION],
      ]);
    } finally {
      await system.stop();
    }
  });
}

test('a replay of many messages of functions is verified, in order', async () => {
  const system = await startSystem();
  try {
    const publish = publisherThrough(system, fetch);
    const count = 500;
    for (let number = 0; number < count; number += 1) {
      assert.equal((await publish({ number })).errors, undefined);
    }
    const page = await system.open('anna');
    const replayed = page.evaluate(async (wanted) => {
      const seen = [];
      await new Promise((resolve, reject) => {
        const callback = (payload, error, event) => {
          if (error?.code === 'GAP') return;
          if (error) return reject(error);
          seen.push(event.sender?.kind === 'function' ? payload.number : `${payload.number} unverified`);
          if (seen.length === wanted) resolve();
        };
        globalThis.realtime.subscribe('absences', callback, { senders: 'function', replaySeconds: 120 });
      });
      return seen;
    }, count);
    assert.deepEqual(
      await replayed,
      Array.from({ length: count }, (_, number) => number),
    );
  } finally {
    await system.stop();
  }
});

test('a page without WebCrypto is told so, and takes messages without a verified sender', async () => {
  const system = await startSystem();
  try {
    const page = await system.openBlank('anna');
    await page.evaluate(() =>
      Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined, configurable: true }),
    );
    await page.evaluate(async () => {
      await import('/page.js');
      globalThis.start();
    });
    await assert.rejects(subscribe(page, 'function'), /senders: 'function' needs WebCrypto/);
    await subscribe(page);
    await publisherThrough(system, fetch)({ number: 1 });
    assert.deepEqual(await events(page, 1), [[1, null]]);
  } finally {
    await system.stop();
  }
});
