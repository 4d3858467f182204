import assert from 'node:assert/strict';
import test from 'node:test';
import { Filter, FilterConditions, kvs, WhereConditions } from '@forge/kvs';
import { connectKvs } from '../src/platform/local-kvs.mjs';
import { Storage } from '../src/platform/storage.mjs';

/** @param {Storage} storage */
const kvsOn = (storage, installation = 'installation-a') => connectKvs(storage.of(installation));

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

test('an entity has a space of its own', async () => {
  kvsOn(new Storage());
  await kvs.entity('team').set('key', { version: 1 }, { keyPolicy: 'FAIL_IF_EXISTS' });
  await assert.rejects(kvs.entity('team').set('key', { version: 2 }, { keyPolicy: 'FAIL_IF_EXISTS' }), {
    code: 'KEY_ALREADY_EXISTS',
  });
  assert.deepEqual(await kvs.entity('team').get('key'), { version: 1 });
  assert.equal(await kvs.entity('other').get('key'), undefined);
  assert.equal(await kvs.get('key'), undefined);
  await kvs.entity('team').delete('key');
  assert.equal(await kvs.entity('team').get('key'), undefined);
});

/** @param {number} number */
function version(number) {
  /** @type {Filter<{ version: number }>} */
  const filter = new Filter();
  return { entityName: 'team', conditions: filter.and('version', FilterConditions.equalTo(number)) };
}

test('a transaction whose condition does not hold changes nothing', async () => {
  kvsOn(new Storage());
  await kvs.entity('team').set('a', { version: 1 });
  await kvs.transact().set('a', { version: 2 }, version(1)).set('b', 'b').execute();
  assert.deepEqual([await kvs.entity('team').get('a'), await kvs.get('b')], [{ version: 2 }, 'b']);
  const stale = kvs.transact().delete('b').set('a', { version: 3 }, version(1));
  await assert.rejects(stale.execute());
  await assert.rejects(kvs.transact().set('missing', { version: 1 }, version(1)).execute());
  await assert.rejects(kvs.transact().delete('b').check('a', version(1)).execute());
  assert.deepEqual([await kvs.entity('team').get('a'), await kvs.get('b')], [{ version: 2 }, 'b']);
});

for (const { name, condition, holds } of [
  { name: 'exists', condition: FilterConditions.exists(), holds: [1, 2, 10] },
  { name: 'notExists', condition: FilterConditions.notExists(), holds: [undefined] },
  { name: 'notEqualTo', condition: FilterConditions.notEqualTo(2), holds: [undefined, 1, 10] },
  { name: 'between', condition: FilterConditions.between(2, 10), holds: [2, 10] },
  { name: 'greaterThan', condition: FilterConditions.greaterThan(2), holds: [10] },
  { name: 'greaterThanEqualTo', condition: FilterConditions.greaterThanEqualTo(2), holds: [2, 10] },
  { name: 'lessThan', condition: FilterConditions.lessThan(2), holds: [1] },
  { name: 'lessThanEqualTo', condition: FilterConditions.lessThanEqualTo(2), holds: [1, 2] },
]) {
  test(`the condition ${name} holds for the entities that it describes`, async () => {
    kvsOn(new Storage());
    const found = [];
    for (const number of [undefined, 1, 2, 10]) {
      if (number !== undefined) await kvs.entity('team').set('key', { number });
      const conditions = new Filter().and('number', condition);
      const check = kvs.transact().check('key', { entityName: 'team', conditions });
      const isMet = await check.execute().then(
        () => true,
        () => false,
      );
      if (isMet) found.push(number);
    }
    assert.deepEqual(found, holds);
  });
}

test('a transaction has each key once', async () => {
  kvsOn(new Storage());
  await assert.rejects(kvs.transact().set('a', 1).delete('a').execute(), { code: 'BAD_REQUEST' });
});

test('a key that Forge refuses is refused', async () => {
  kvsOn(new Storage());
  await assert.rejects(kvs.set('a/b', 1), { code: 'BAD_REQUEST' });
});
