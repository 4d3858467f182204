import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { connectKvs } from '../../forge-host/src/platform/local-kvs.mjs';
import { Spaces } from '../../forge-host/src/platform/storage.mjs';
import * as absences from '../src/absences.js';

const ANNA = { accountId: 'anna', name: 'Anna' };
const WEEK = { kind: 'vacation', from: '2026-12-07', to: '2026-12-11', note: ' skiing ' };

beforeEach(() => connectKvs(new Spaces()));

test('an absence is listed on its dashboard and on no other', async () => {
  const added = await absences.add('1', ANNA, WEEK);
  assert.deepEqual(await absences.list('1'), [added]);
  assert.equal(added.note, 'skiing');
  assert.deepEqual(await absences.list('10'), []);
  assert.deepEqual(await absences.list('2'), []);
});

test('the list is complete beyond one page and ordered by the first day', async () => {
  for (let day = 1; day <= 28; day++) {
    const from = `2026-12-${String(29 - day).padStart(2, '0')}`;
    for (let i = 0; i < 4; i++) await absences.add('1', ANNA, { ...WEEK, from, to: '2026-12-31' });
  }
  const days = (await absences.list('1')).map(({ from }) => from);
  assert.equal(days.length, 112);
  assert.deepEqual(days, [...days].sort());
});

test('a user can remove only their own absences', async () => {
  const { id } = await absences.add('1', ANNA, WEEK);
  await assert.rejects(absences.remove('1', 'ben', id), /your own/);
  await absences.remove('1', 'anna', id);
  await absences.remove('1', 'anna', id);
  assert.deepEqual(await absences.list('1'), []);
});

for (const [what, wrong] of Object.entries({
  'an unknown kind': { kind: 'moon landing' },
  'an invalid day': { from: '2026-02-31x' },
  'a day that no month has': { from: '2026-02-31' },
  'a last day before the first': { to: '2026-12-01' },
  'a note that is too long': { note: 'x'.repeat(201) },
})) {
  test(`${what} is refused, and nothing is stored`, async () => {
    await assert.rejects(absences.add('1', ANNA, { ...WEEK, ...wrong }));
    assert.deepEqual(await absences.list('1'), []);
  });
}
