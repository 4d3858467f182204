import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { connectKvs } from '../../forge-host/src/platform/local-kvs.mjs';
import { Spaces } from '../../forge-host/src/platform/storage.mjs';
import * as absences from '../src/absences.js';
import { dayIn } from '../src/days.js';
import { join, Refusal, takeOver } from '../src/rotation/changes.js';
import { followed } from '../src/rotation/history.js';
import { EMPTY } from '../src/rotation/schedule.js';
import { load, update } from '../src/rotation/store.js';

const [ANNA, BEN, CLEO] = ['Anna', 'Ben', 'Cleo'].map((name) => ({ accountId: name.toLowerCase(), name }));
const DASHBOARD = '10001';

let spaces = new Spaces();
beforeEach(() => connectKvs((spaces = new Spaces())));

/** @param {import('../src/people.js').Person} person */
const joining = (person, dashboard = DASHBOARD) =>
  update(dashboard, (before, moment) => join(before, moment, person, 'UTC'));

/** @param {string} accountId */
const takingOver = (accountId) =>
  update(DASHBOARD, (before, moment) =>
    takeOver(before, moment, accountId, { day: dayIn('UTC', moment.now), from: 'anna' }),
  );

/** Holds the next requests to a path until all of them have come. @param {string} path @param {number} count */
function meet(path, count) {
  let come = 0;
  /** @type {() => void} */
  let open = () => {};
  const met = new Promise((resolve) => (open = () => resolve(undefined)));
  connectKvs(spaces, (/** @type {string} */ asked) => {
    if (asked !== path || come >= count) return undefined;
    come += 1;
    if (come === count) open();
    return met;
  });
}

test('a rotation is stored for its dashboard and no other', async () => {
  const { rotation, isChanged } = await joining(ANNA);
  assert.deepEqual([rotation.version, isChanged], [1, true]);
  assert.deepEqual(await load(DASHBOARD), rotation);
  assert.deepEqual([await load('1000'), await load('100010')], [EMPTY, EMPTY]);
});

test('a change that changes nothing is not stored', async () => {
  await joining(ANNA);
  assert.equal((await joining(ANNA)).isChanged, false);
  assert.equal((await load(DASHBOARD)).version, 1);
});

test('two people who join first at the same time are both in the rotation', async () => {
  meet('/api/v1/entity/set', 2);
  await Promise.all([joining(ANNA), joining(BEN)]);
  const { version, people } = await load(DASHBOARD);
  assert.deepEqual([version, people.map(({ name }) => name).sort()], [2, ['Anna', 'Ben']]);
});

test('of two people who take over at the same time, one has the duty and the other is refused', async () => {
  for (const person of [ANNA, BEN, CLEO]) await joining(person);
  meet('/api/v1/transaction', 2);
  const results = await Promise.allSettled([takingOver('ben'), takingOver('cleo')]);
  const [won, lost] = results.sort((a, b) => a.status.localeCompare(b.status));
  assert.equal(won?.status, 'fulfilled');
  assert.ok(lost?.status === 'rejected' && lost.reason instanceof Refusal);
  const { version, history, log } = await load(DASHBOARD);
  assert.deepEqual([version, log.filter(({ change }) => change.type === 'tookOver').length], [4, 1]);
  const { change } = /** @type {any} */ (log.at(0));
  assert.deepEqual(history.at(-1)?.person, change.person);
});

for (const path of ['/api/v1/entity/get', '/api/v1/query', '/api/v1/transaction']) {
  test(`an absence that is stored before the request ${path} of a takeover is considered`, async () => {
    for (const person of [ANNA, BEN, CLEO]) await joining(person);
    const today = dayIn('UTC', Date.now());
    let isStored = false;
    connectKvs(spaces, async (asked) => {
      if (asked !== path || isStored) return;
      isStored = true;
      await absences.add(DASHBOARD, BEN, { kind: 'sick', from: today, to: today });
      await update(DASHBOARD, followed);
    });
    await assert.rejects(takingOver('ben'), /You are away today/);
    assert.equal((await load(DASHBOARD)).history.at(-1)?.person?.accountId, 'anna');
  });
}

test('a failure of the storage is not taken for a concurrent change', async () => {
  await joining(ANNA);
  connectKvs(spaces, (path) => {
    if (path === '/api/v1/transaction') throw new Error('The storage is down.');
  });
  await assert.rejects(joining(BEN), /storage is down/);
});

test('a change that others overtake again and again is refused in the end', async () => {
  await joining(ANNA);
  const space = spaces.entity('rotation');
  connectKvs(spaces, (path) => {
    if (path !== '/api/v1/transaction') return;
    const value = /** @type {any} */ (space.get(DASHBOARD)?.value);
    space.set(DASHBOARD, { ...value, version: value.version + 1 });
  });
  await assert.rejects(joining(BEN), Refusal);
});
