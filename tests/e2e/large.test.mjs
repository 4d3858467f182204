// The browser's AES-GCM opens large messages and the core opens small ones; all of them arrive in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

const LARGE = 20_000;
const payloads = Array.from({ length: 24 }, (_, number) => ({
  number,
  text: number % 3 === 0 ? 'ü'.repeat(LARGE / 2) : 'x',
}));
const large = payloads.filter(({ number }) => number % 3 === 0).length;

/** Counts the calls of the browser's decrypt function. With `fails`, each of them is rejected. */
function watchDecrypt(fails) {
  const { decrypt } = SubtleCrypto.prototype;
  globalThis.decrypted = 0;
  SubtleCrypto.prototype.decrypt = function counted(...input) {
    globalThis.decrypted += 1;
    return fails ? Promise.reject(new Error('out of order')) : decrypt.apply(this, input);
  };
}

async function deliver({ webAssembly, fails }) {
  const system = await startSystem({ webAssembly });
  try {
    const page = await system.open('anna', '10001');
    await page.evaluate(watchDecrypt, fails);
    await page.evaluate(() => globalThis.subscribe('absences'));
    const context = contextOf('anna', '10001');
    for (const payload of payloads) {
      const { errors } = await system.backend.publish('absences', payload, { context });
      assert.equal(errors, undefined);
    }
    await receivedCount(page, payloads.length);
    assert.deepEqual(await received(page), payloads);
    assert.deepEqual(await problems(page), []);
    return await page.evaluate(() => globalThis.decrypted);
  } finally {
    await system.stop();
  }
}

for (const webAssembly of [true, false]) {
  const core = webAssembly ? 'wasm' : 'js';
  test(`the browser opens large messages, which keep their order (${core})`, async () => {
    assert.equal(await deliver({ webAssembly, fails: false }), large);
  });

  test(`the core opens messages that the browser fails to open (${core})`, async () => {
    assert.equal(await deliver({ webAssembly, fails: true }), large);
  });
}
