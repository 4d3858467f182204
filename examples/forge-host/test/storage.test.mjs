import assert from 'node:assert/strict';
import test from 'node:test';
import { kvs, WhereConditions } from '@forge/kvs';
import { Storage } from '../src/platform/storage.mjs';
import { answerStorage } from '../src/platform/storage-api.mjs';

/**
 * Connects the real `@forge/kvs` to the host's storage.
 * @param {Storage} storage
 */
function kvsOn(storage, installation = 'installation-a') {
  Object.assign(globalThis, {
    __forge_fetch__: async (
      /** @type {object} */ _target,
      /** @type {string} */ path,
      /** @type {any} */ { body },
    ) => {
      const answer = answerStorage(storage.of(installation), path, body);
      return new Response(answer.body || null, { status: answer.status });
    },
  });
}

test('a value is returned unchanged until it is deleted', async () => {
  kvsOn(new Storage());
  await kvs.set('a', { b: [1, 2] });
  assert.deepEqual(await kvs.get('a'), { b: [1, 2] });
  await kvs.delete('a');
  assert.equal(await kvs.get('a'), undefined);
});

test('FAIL_IF_EXISTS refuses the second write and keeps the first value', async () => {
  kvsOn(new Storage());
  await kvs.setSecret('key', 'first', { keyPolicy: 'FAIL_IF_EXISTS' });
  await assert.rejects(kvs.setSecret('key', 'second', { keyPolicy: 'FAIL_IF_EXISTS' }), {
    code: 'KEY_ALREADY_EXISTS',
  });
  assert.equal(await kvs.getSecret('key'), 'first');
});

test('OVERRIDE replaces a value and can return the previous one', async () => {
  kvsOn(new Storage());
  await kvs.set('key', 'first');
  const result = await kvs.set('key', 'second', { keyPolicy: 'OVERRIDE', returnValue: 'PREVIOUS' });
  assert.equal(result?.value, 'first');
  assert.equal(await kvs.get('key'), 'second');
});

test('secrets and values are separate spaces', async () => {
  kvsOn(new Storage());
  await kvs.setSecret('key', 'secret');
  assert.equal(await kvs.get('key'), undefined);
});

test('installations have separate storages', async () => {
  const storage = new Storage();
  kvsOn(storage, 'installation-a');
  await kvs.set('key', 'a');
  kvsOn(storage, 'installation-b');
  assert.equal(await kvs.get('key'), undefined);
});

test('a query returns the keys with its prefix, page by page', async () => {
  kvsOn(new Storage());
  for (const key of ['p:1', 'p:2', 'p:3', 'q:1']) await kvs.set(key, key);
  const query = () => kvs.query().where('key', WhereConditions.beginsWith('p:')).limit(2);
  const first = await query().getMany();
  assert.deepEqual(
    first.results.map(({ key }) => key),
    ['p:1', 'p:2'],
  );
  const second = await query()
    .cursor(first.nextCursor ?? '')
    .getMany();
  assert.deepEqual(
    second.results.map(({ key }) => key),
    ['p:3'],
  );
  assert.equal(second.nextCursor, undefined);
});

test('a key that Forge refuses is refused', async () => {
  kvsOn(new Storage());
  await assert.rejects(kvs.set('a/b', 1), { code: 'BAD_REQUEST' });
});
