// Large messages are opened by the browser's own AES-GCM, small ones by the core, and all of them arrive in their order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { problems, received, receivedCount, setStage } from './support/stage.mjs';

const LARGE = 20_000;
const payloads = Array.from({ length: 24 }, (_, number) => ({
  number,
  text: number % 3 === 0 ? 'ü'.repeat(LARGE / 2) : 'x',
}));
const large = payloads.filter(({ number }) => number % 3 === 0).length;

/** Counts what the browser is asked to open; where `fails` says so, it cannot. */
function watchDecrypt(fails) {
  const { decrypt } = SubtleCrypto.prototype;
  globalThis.decrypted = 0;
  SubtleCrypto.prototype.decrypt = function counted(...input) {
    globalThis.decrypted += 1;
    return fails ? Promise.reject(new Error('out of order')) : decrypt.apply(this, input);
  };
}

async function deliver({ webAssembly, fails }) {
  const stage = await setStage({ webAssembly });
  try {
    const page = await stage.open('anna', '10001');
    await page.evaluate(watchDecrypt, fails);
    await page.evaluate(() => globalThis.subscribe('absences'));
    const context = contextOf('anna', '10001');
    for (const payload of payloads) {
      const { errors } = await stage.backend.publish('absences', payload, { context });
      assert.equal(errors, undefined);
    }
    await receivedCount(page, payloads.length);
    assert.deepEqual(await received(page), payloads);
    assert.deepEqual(await problems(page), []);
    return await page.evaluate(() => globalThis.decrypted);
  } finally {
    await stage.strike();
  }
}

for (const webAssembly of [true, false]) {
  const core = webAssembly ? 'wasm' : 'js';
  test(`large messages are opened by the browser and keep their order (${core})`, async () => {
    assert.equal(await deliver({ webAssembly, fails: false }), large);
  });

  test(`what the browser cannot open the core opens (${core})`, async () => {
    assert.equal(await deliver({ webAssembly, fails: true }), large);
  });
}
