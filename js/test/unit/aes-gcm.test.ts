// The browser's AES-GCM opens each message with the key of its sender, which it imports once.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { AesGcm } from '../../src/page/aes-gcm.js';

const { subtle } = globalThis.crypto;
const IV = new Uint8Array(12).fill(7);
const ASSOCIATED_DATA = new Uint8Array([1, 2, 3]);

function keyOf(sender: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(32).fill(sender);
}

async function sealedBy(sender: number): Promise<Uint8Array> {
  const key = await subtle.importKey('raw', keyOf(sender), 'AES-GCM', false, ['encrypt']);
  const parameters = { name: 'AES-GCM', iv: IV, additionalData: ASSOCIATED_DATA };
  return new Uint8Array(await subtle.encrypt(parameters, key, new Uint8Array([sender])));
}

/** Counts the calls of `importKey` until the end of the test. */
function countImports(context: { mock: typeof test.mock }): () => number {
  const { mock } = context.mock.method(subtle, 'importKey');
  return () => mock.callCount();
}

test('each of many interleaved senders is opened with its own key', async () => {
  const aesGcm = new AesGcm();
  const senders = [1, 2, 1, 3, 4, 5, 6, 1, 2, 6, 5, 1];
  for (const sender of senders) {
    const opened = await aesGcm.decrypt(keyOf(sender), IV, ASSOCIATED_DATA, await sealedBy(sender));
    assert.deepEqual([...opened], [sender]);
  }
});

test('a kept key opens no message of another sender, and opens its own afterwards', async () => {
  const aesGcm = new AesGcm();
  const [first, second] = [await sealedBy(1), await sealedBy(2)];
  await aesGcm.decrypt(keyOf(1), IV, ASSOCIATED_DATA, first);
  await assert.rejects(aesGcm.decrypt(keyOf(1), IV, ASSOCIATED_DATA, second));
  await assert.rejects(aesGcm.decrypt(keyOf(2), IV, ASSOCIATED_DATA, first));
  assert.deepEqual([...(await aesGcm.decrypt(keyOf(1), IV, ASSOCIATED_DATA, first))], [1]);
  assert.deepEqual([...(await aesGcm.decrypt(keyOf(2), IV, ASSOCIATED_DATA, second))], [2]);
});

test('the key of a sender is imported once, and a flood of senders keeps four keys', async (context) => {
  const messages = await Promise.all(Array.from({ length: 9 }, (_, sender) => sealedBy(sender)));
  const imports = countImports(context);
  const aesGcm = new AesGcm();
  const open = (sender: number) => aesGcm.decrypt(keyOf(sender), IV, ASSOCIATED_DATA, messages[sender]!);
  await Promise.all([open(0), open(0), open(1), open(0), open(1)]);
  assert.equal(imports(), 2);
  for (const sender of [2, 3, 4, 5, 6, 7, 8]) await open(sender);
  assert.equal(imports(), 9);
  for (const sender of [5, 6, 7, 8]) await open(sender);
  assert.equal(imports(), 9);
  await open(0);
  assert.equal(imports(), 10);
});

test('the arguments are read before the first turn of the event loop', async () => {
  const aesGcm = new AesGcm();
  const views = [keyOf(1), IV.slice(), ASSOCIATED_DATA.slice(), await sealedBy(1)] as const;
  const opened = aesGcm.decrypt(...views);
  for (const view of views) view.fill(0);
  assert.deepEqual([...(await opened)], [1]);
  assert.deepEqual([...(await aesGcm.decrypt(keyOf(1), IV, ASSOCIATED_DATA, await sealedBy(1)))], [1]);
});

test('a key that the browser could not import is imported again for the next message', async (context) => {
  const aesGcm = new AesGcm();
  const message = await sealedBy(1);
  const { mock } = context.mock.method(subtle, 'importKey');
  mock.mockImplementationOnce(() => Promise.reject(new Error('no memory')));
  await assert.rejects(aesGcm.decrypt(keyOf(1), IV, ASSOCIATED_DATA, message), { message: 'no memory' });
  assert.deepEqual([...(await aesGcm.decrypt(keyOf(1), IV, ASSOCIATED_DATA, message))], [1]);
});
