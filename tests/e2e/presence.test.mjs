// The members of a dashboard: six pages in Chromium, a relay, and everything that can happen to either.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { startSystem } from './support/system.mjs';

const USERS = ['anna', 'ben', 'cleo', 'dan', 'eve', 'finn'];
const GRACE_MS = 2_000;
const HEARTBEAT_MS = 1_000;
const relayWith = (graceMs, heartbeatMs) =>
  `presence_grace = "${graceMs / 1000}s"\nheartbeat = "${heartbeatMs / 1000}s"`;
const relay = relayWith(GRACE_MS, HEARTBEAT_MS);
/** For tests in which no member may vanish: a page of a busy machine may stand still for some seconds. */
const [PATIENT_GRACE_MS, PATIENT_HEARTBEAT_MS] = [6_000, 3_000];
const patientRelay = relayWith(PATIENT_GRACE_MS, PATIENT_HEARTBEAT_MS);
const authorize = () => ({ presence: true });

/** Runs a test with a system whose pages may have presence. */
const withSystem = (run, options) => async () => {
  const system = await startSystem({ relay, backend: { authorize }, ...options });
  try {
    await run(system);
  } finally {
    await system.stop();
  }
};

/** Opens the presence in a page, and lists the members at each change. */
const present = (page, options = {}) =>
  page.evaluate(async (given) => {
    globalThis.presenceErrors = [];
    const onError = (error) => globalThis.presenceErrors.push(error.code);
    const presence = await globalThis.realtime.presence('board', { onError, ...given });
    globalThis.presence = presence;
    globalThis.snapshots = [];
    presence.onChange((members) => globalThis.snapshots.push(members.map(({ id, data }) => [id, data])));
  }, options);

const enter = (page, data) => page.evaluate((given) => globalThis.presence.enter(given), data);

async function openMember(system, user) {
  const page = await system.open(user);
  await present(page);
  await enter(page, user);
  return page;
}

const members = (page) => page.evaluate(() => globalThis.presence.members);
const data = async (page) => (await members(page)).map((member) => member.data);
const errors = (page) => page.evaluate(() => globalThis.presenceErrors);

/** Waits until a page shows members with exactly this data, in any order. */
const shows = (page, expected, timeout = 20_000) =>
  page.waitForFunction(
    (wanted) => {
      const shown = globalThis.presence.members.map((member) => JSON.stringify(member.data)).sort();
      return JSON.stringify(shown) === JSON.stringify(wanted.map((one) => JSON.stringify(one)).sort());
    },
    expected,
    { timeout },
  );

const forget = (page) => page.evaluate(() => (globalThis.snapshots.length = 0));
const snapshots = (page) => page.evaluate(() => globalThis.snapshots);

for (const webAssembly of [true, false]) {
  const build = webAssembly ? 'WebAssembly' : 'plain JavaScript';

  test(
    `six pages see each other enter, update and leave (${build})`,
    withSystem(
      async (system) => {
        const pages = [];
        for (const user of USERS) pages.push(await openMember(system, user));
        for (const page of pages) await shows(page, USERS);
        const [first, last] = [await members(pages[0]), await members(pages[5])];
        const seen = (list) => list.map(({ id, data: of, claimedAccountId }) => [id, of, claimedAccountId]);
        assert.deepEqual(seen(first), seen(last), 'all pages see the same members in the same order');
        assert.deepEqual(
          first.map((member) => [member.data, member.claimedAccountId, member.isSelf]),
          USERS.map((user) => [user, user, user === 'anna']),
        );
        await pages[2].evaluate(() => globalThis.presence.update({ cursor: 7 }));
        for (const page of pages) await shows(page, ['anna', 'ben', { cursor: 7 }, 'dan', 'eve', 'finn']);
        await pages[1].evaluate(() => globalThis.presence.leave());
        const left = Date.now();
        await shows(pages[0], ['anna', { cursor: 7 }, 'dan', 'eve', 'finn']);
        assert.ok(Date.now() - left < GRACE_MS, 'leave() does not wait for the grace time');
        assert.deepEqual(await errors(pages[0]), []);
      },
      { webAssembly },
    ),
  );
}

test(
  'a page that is reloaded stays the same member and does not flicker',
  withSystem(
    async (system) => {
      const pages = [];
      for (const user of USERS) pages.push(await openMember(system, user));
      for (const page of pages) await shows(page, USERS);
      const before = await members(pages[0]);
      for (const page of pages) await forget(page);
      await pages[3].reload();
      await pages[3].waitForFunction(() => globalThis.start);
      await pages[3].evaluate(() => globalThis.start());
      await present(pages[3]);
      await enter(pages[3], 'dan again');
      const expected = USERS.map((user) => (user === 'dan' ? 'dan again' : user));
      for (const page of pages) await shows(page, expected);
      await sleep(PATIENT_GRACE_MS + PATIENT_HEARTBEAT_MS);
      assert.deepEqual(await data(pages[0]), expected, 'the order stays');
      const ids = before.map(({ id }) => id);
      for (const page of pages.filter((other) => other !== pages[3])) {
        for (const shown of await snapshots(page))
          assert.deepEqual(
            shown.map(([id]) => id),
            ids,
          );
      }
    },
    { relay: patientRelay },
  ),
);

test(
  'a tab that is duplicated is another member',
  withSystem(async (system) => {
    const page = await openMember(system, 'anna');
    const popup = page.context().waitForEvent('page');
    // The browser copies the session storage to a window that a page opens.
    await page.evaluate(() => void window.open(location.href));
    const duplicate = await popup;
    await duplicate.waitForFunction(() => globalThis.start);
    await duplicate.evaluate(() => globalThis.start());
    await present(duplicate, { tabs: 'merged' });
    await enter(duplicate, 'anna');
    await shows(page, ['anna', 'anna']);
    await duplicate.waitForFunction(() => globalThis.presence.members[0]?.connections === 2);
    assert.equal((await members(duplicate)).length, 1);
  }),
);

test(
  'a page that is closed or frozen is gone for the others within the grace time and a heartbeat',
  withSystem(async (system) => {
    const pages = [];
    for (const user of USERS.slice(0, 3)) pages.push(await openMember(system, user));
    for (const page of pages) await shows(page, ['anna', 'ben', 'cleo']);
    const closed = Date.now();
    await pages[2].close();
    await shows(pages[0], ['anna', 'ben'], 10_000);
    const took = Date.now() - closed;
    assert.ok(took <= GRACE_MS + HEARTBEAT_MS + 500, `${took} ms`);
    await pages[1].evaluate(() => document.dispatchEvent(new Event('freeze')));
    await shows(pages[0], ['anna'], 10_000);
    await pages[1].evaluate(() => document.dispatchEvent(new Event('resume')));
    for (const page of [pages[0], pages[1]]) await shows(page, ['anna', 'ben']);
  }),
);

test(
  'members return by themselves after a kill and restart of the relay, and none flickers',
  withSystem(
    async (system) => {
      const pages = [];
      for (const user of USERS.slice(0, 4)) pages.push(await openMember(system, user));
      const users = USERS.slice(0, 4);
      for (const page of pages) await shows(page, users);
      const ids = (await members(pages[0])).map(({ id }) => id);
      for (const page of pages) await forget(page);
      await system.relay.kill();
      await system.relay.restart();
      for (const page of pages) {
        await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, {
          timeout: 20_000,
        });
      }
      // A member that the new relay lacks would leave 15 s after the watcher returned.
      await sleep(17_000);
      for (const page of pages) {
        assert.deepEqual(await data(page), users);
        for (const shown of await snapshots(page))
          assert.deepEqual(
            shown.map(([id]) => id),
            ids,
          );
      }
      const late = await openMember(system, 'eve');
      await shows(late, [...users, 'eve']);
    },
    { relay: patientRelay },
  ),
);

test(
  'members and watchers follow a rotation of the encryption key',
  withSystem(async (system) => {
    const [anna, ben] = [await openMember(system, 'anna'), await openMember(system, 'ben')];
    await system.backend.rotateKey({ context: contextOf('anna', '10001') });
    const cleo = await openMember(system, 'cleo');
    for (const page of [anna, ben, cleo]) await shows(page, ['anna', 'ben', 'cleo']);
    await anna.evaluate(() => globalThis.presence.update('anna again'));
    for (const page of [anna, ben, cleo]) await shows(page, ['anna again', 'ben', 'cleo']);
    assert.deepEqual(await errors(cleo), []);
  }),
);

test(
  'without the permission, presence is refused and messages work',
  withSystem(
    async (system) => {
      const page = await system.open('anna');
      await assert.rejects(present(page), /presence/);
      await page.evaluate(() => globalThis.subscribe('absences'));
      await page.evaluate(() => globalThis.realtime.publish('absences', 'hello'));
      await page.waitForFunction(() => globalThis.received.length === 1);
    },
    { backend: { authorize: () => true } },
  ),
);

test(
  "another member's entry under a new id or number is refused, and the presence continues",
  withSystem(async (system) => {
    const anna = await openMember(system, 'anna');
    await shows(anna, ['anna']);
    const mallory = await system.open('mallory');
    const forged = [
      { isOther: true, add: 0 },
      { isOther: true, add: 1 },
      { isOther: false, add: 1 },
    ];
    const outcomes = await mallory.evaluate(
      (given) => globalThis.rawPresence({ user: 'mallory', channel: 'board', forged: given }),
      forged,
    );
    assert.deepEqual(
      outcomes,
      [true, true, false],
      'the relay cannot open entries, but knows whose member it is',
    );
    await anna.waitForFunction(() => globalThis.presenceErrors.length === 2);
    assert.deepEqual(await errors(anna), Array(2).fill('MESSAGE_UNREADABLE'));
    assert.deepEqual(await data(anna), ['anna']);
    const ben = await openMember(system, 'ben');
    for (const page of [anna, ben]) await shows(page, ['anna', 'ben']);
  }),
);

test(
  'an entry that was sealed too long ago is refused',
  withSystem(async (system) => {
    const anna = await openMember(system, 'anna');
    await shows(anna, ['anna']);
    system.site.state.aheadMs = 16 * 60_000;
    const ben = await system.open('ben');
    await present(ben);
    await ben.waitForFunction(() => globalThis.presenceErrors.length === 1);
    assert.deepEqual([await errors(ben), await data(ben)], [['MESSAGE_STALE'], []]);
  }),
);
