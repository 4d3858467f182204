import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import type { Presence } from '../../src/index.js';
import { createTestRelay } from '../../src/testing.js';
import { isError } from '../support/rejects.js';

const data = (presence: Presence) => presence.members.map((member) => member.data);

test('pages enter, update and leave, and a page that comes later has all members', async () => {
  let now = 1_700_000_000_000;
  const relay = createTestRelay({ now: () => now++ });
  const [ada, ben] = [
    await relay.realtime({ accountId: 'ada' }).presence('board'),
    await relay.realtime({ accountId: 'ben' }).presence('board'),
  ];
  await ada.enter({ name: 'Ada' });
  await ben.enter();
  await relay.settled();
  assert.deepEqual([data(ada), data(ben)], Array(2).fill([{ name: 'Ada' }, null]));
  assert.deepEqual(
    ben.members.map(({ claimedAccountId, isSelf }) => [claimedAccountId, isSelf]),
    [
      ['ada', false],
      ['ben', true],
    ],
  );
  await ada.update({ name: 'Ada L.' });
  const late = await relay.realtime().presence('board');
  assert.deepEqual(data(late), [{ name: 'Ada L.' }, null]);
  await ada.leave();
  await ben.close();
  await relay.settled();
  assert.deepEqual(data(late), []);
});

test('changes that happen together are one call', async () => {
  const relay = createTestRelay();
  const watcher = await relay.realtime().presence('board');
  let calls = 0;
  watcher.onChange(() => (calls += 1));
  const others = await Promise.all([1, 2, 3].map(() => relay.realtime().presence('board')));
  await Promise.all(others.map((other, number) => other.enter(number)));
  await relay.settled();
  assert.deepEqual([data(watcher).sort(), calls <= 2], [[0, 1, 2], true]);
});

test('a page that is cut off stays for the grace time, and one that returns does not flicker', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  try {
    const relay = createTestRelay();
    const [page, other] = [relay.realtime(), relay.realtime()];
    const [presence, watcher] = [await page.presence('board'), await other.presence('board')];
    await presence.enter(1);
    await relay.settled();
    let calls = 0;
    watcher.onChange(() => (calls += 1));
    relay.cut(page);
    mock.timers.tick(14_000);
    relay.mend(page);
    await relay.settled();
    assert.deepEqual([data(watcher), calls], [[1], 0]);
    relay.cut(page);
    mock.timers.tick(15_000);
    await relay.settled();
    assert.deepEqual([data(watcher), calls], [[], 1]);
    relay.mend(page);
    await relay.settled();
    assert.deepEqual([data(watcher), data(presence)], [[1], [1]]);
  } finally {
    mock.timers.reset();
  }
});

test('a restart of the relay does not remove members', async () => {
  const relay = createTestRelay();
  const [presence, watcher] = [
    await relay.realtime().presence('board'),
    await relay.realtime().presence('board'),
  ];
  await presence.enter(1);
  await relay.settled();
  let calls = 0;
  watcher.onChange(() => (calls += 1));
  relay.restart();
  await relay.settled();
  assert.deepEqual([data(watcher), calls], [[1], 0]);
});

test('presence needs its permission, for which true alone is not enough', async () => {
  const relay = createTestRelay();
  const page = relay.realtime({ authorize: () => true });
  await assert.rejects(page.presence('board'), isError('PERMISSION_MISSING', /presence/));
});

test('two presences of one page are one member, which leaves with the last one', async () => {
  const relay = createTestRelay();
  const page = relay.realtime();
  const watcher = await relay.realtime().presence('board');
  const [first, second] = [await page.presence('board'), await page.presence('board')];
  await first.enter(1);
  await second.enter(2);
  await relay.settled();
  assert.deepEqual(data(watcher), [2]);
  await first.close();
  await relay.settled();
  assert.deepEqual(data(watcher), [2]);
  await second.close();
  await relay.settled();
  assert.deepEqual(data(watcher), []);
});

test('a page that signs is a verified member, and one without an account cannot sign', async () => {
  let now = 1_700_000_000_000;
  const relay = createTestRelay({ now: () => now++ });
  const [ada, ben, watcher] = [
    await relay.realtime({ accountId: 'ada' }).presence('board', { signed: true }),
    await relay.realtime({ accountId: 'ben' }).presence('board'),
    await relay.realtime().presence('board', { members: 'verified' }),
  ];
  await ada.enter(1);
  await ben.enter(2);
  await relay.settled();
  assert.deepEqual(
    ben.members.map(({ data: of, accountId }) => [of, accountId]),
    [
      [1, 'ada'],
      [2, undefined],
    ],
  );
  assert.deepEqual(data(watcher), [1]);
  const resolver = relay.resolver({ unlicensedAccess: ['anonymous'] });
  const page = relay.realtime({ accountId: 'unidentified', resolver });
  const nobody = await page.presence('board', { signed: true });
  await assert.rejects(nobody.enter(3), isError('SIGNING_UNAVAILABLE', /logged in/));
  await relay.settled();
  assert.equal(ben.members.length, 2);
});
