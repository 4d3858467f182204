// Members that vanish without a word, and members that reload: two browsers, each with processes of its own, and a relay.
// It prints the times and changes that the other page sees. SEALWIRE_GRACE_SECONDS and SEALWIRE_HEARTBEAT_SECONDS measure
// other settings, such as the defaults of a relay, 15 and 25.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchProcesses } from './support/browser-processes.mjs';
import { startSystem } from './support/system.mjs';

const GRACE_MS = Number(process.env.SEALWIRE_GRACE_SECONDS ?? 2) * 1_000;
const HEARTBEAT_MS = Number(process.env.SEALWIRE_HEARTBEAT_SECONDS ?? 2) * 1_000;
/** The delay between the relay's decision and the other page. A busy machine needs more than the relay's batch of 100 ms. */
const DELAY_MS = 500;
const ROUNDS = 5;
const relay = `presence_grace = "${GRACE_MS}ms"\nheartbeat = "${HEARTBEAT_MS}ms"`;

/** Opens the presence in a page, records each change with its time, and enters. */
async function enter(page, name) {
  await page.waitForFunction(() => globalThis.start);
  await page.evaluate(async (data) => {
    globalThis.start();
    globalThis.changes = [];
    globalThis.presence = await globalThis.realtime.presence('board');
    globalThis.presence.onChange((members) =>
      globalThis.changes.push({ at: Date.now(), members: members.map(({ id, data: shown }) => [id, shown]) }),
    );
    await globalThis.presence.enter(data);
  }, name);
}

const shown = (page, names) =>
  page.waitForFunction(
    (expected) => globalThis.presence.members.map(({ data }) => data).join() === expected,
    names.join(),
    { timeout: GRACE_MS + 3 * HEARTBEAT_MS + 10_000 },
  );

/** Runs a test with Anna's page in one browser and Ben's in another one. */
const withTwoBrowsers = (run) => async () => {
  const system = await startSystem({ relay, backend: { authorize: () => ({ presence: true }) } });
  const other = await launchProcesses();
  try {
    const anna = await system.open('anna');
    await enter(anna, 'Anna');
    const ben = await other.browser.newPage();
    await ben.goto(system.site.address('ben', '10001'));
    await enter(ben, 'Ben');
    await shown(anna, ['Anna', 'Ben']);
    await run({ anna, ben, other });
  } finally {
    await other.close();
    await system.stop();
  }
};

test(
  'a member whose browser stands still is gone for the others within the grace time and a heartbeat',
  withTwoBrowsers(async ({ anna, ben, other }) => {
    const times = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      // The rounds stop the browser at different times after a ping.
      await sleep((HEARTBEAT_MS * round) / ROUNDS);
      const stoppedAt = Date.now();
      other.stop();
      await shown(anna, ['Anna']);
      const { at } = await anna.evaluate(() => globalThis.changes.at(-1));
      times.push(at - stoppedAt);
      other.resume();
      await shown(anna, ['Anna', 'Ben']);
      await shown(ben, ['Anna', 'Ben']);
    }
    console.log(`gone after ${times.join(', ')} ms; grace ${GRACE_MS} ms, heartbeat ${HEARTBEAT_MS} ms`);
    const allowed = GRACE_MS + HEARTBEAT_MS + DELAY_MS;
    assert.ok(
      times.every((time) => time >= GRACE_MS && time <= allowed),
      `${times.join()} ms`,
    );
  }),
);

test(
  'a page that reloads, five times in a row, does not flicker for the others',
  withTwoBrowsers(async ({ anna, ben }) => {
    const before = await anna.evaluate(() => globalThis.presence.members.map(({ id }) => id));
    await anna.evaluate(() => (globalThis.changes.length = 0));
    for (let round = 1; round <= ROUNDS; round += 1) {
      await ben.reload();
      await enter(ben, `Ben ${round}`);
      await shown(anna, ['Anna', `Ben ${round}`]);
    }
    await sleep(GRACE_MS + HEARTBEAT_MS);
    const changes = await anna.evaluate(() => globalThis.changes);
    console.log(changes.map(({ members }) => members.map(([, name]) => name).join(' and ')).join('; '));
    assert.equal(changes.length, ROUNDS, 'the other page sees the new data of each reload and nothing else');
    for (const { members } of changes)
      assert.deepEqual(
        members.map(([id]) => id),
        before,
      );
  }),
);
