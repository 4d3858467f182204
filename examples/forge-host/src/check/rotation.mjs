// The claims about the rotation: that an absence, a takeover and a swap change it on every screen, and that it is stored.
import { MEMBERS, TIME_ZONE } from '../platform/members.mjs';
import { same } from './assertions.mjs';
import { dayFromToday, startOfTomorrow } from './days.mjs';
import { invoke } from './invoke.mjs';
import { RotationGadget } from './rotation-gadget.mjs';

/** @typedef {import('./check.mjs').Claim} Claim */
/** @typedef {import('./check.mjs').Person} Person */

const [ANNA, BEN, CLEO] = MEMBERS.map(({ displayName }) => displayName);
const SICK = { kind: 'Sick leave', from: 0, to: 0, note: 'In bed with a fever until tomorrow' };
const LATER = { kind: 'Vacation', from: 20, to: 26, note: 'Skiing in Tignes' };

/** The time before midnight at which the page is opened. It is shown before that, also on a slow machine. */
const BEFORE_MIDNIGHT_MS = 10 * 60_000;

/**
 * @param {Claim} claim
 * @param {Person[]} people
 */
export async function claimJoining(claim, [anna, ben, cleo]) {
  await claim(
    'Anna joins the rotation, Ben after her: both see Anna on duty, and Ben as the next',
    async () => {
      await anna.rotation.join();
      await ben.rotation.showsOnDuty(ANNA);
      await ben.rotation.join();
      for (const { rotation } of [anna, ben]) {
        await rotation.showsOnDuty(ANNA);
        await rotation.showsNext('Ben');
        await rotation.logs('Ben joined');
      }
    },
  );
  await claim('The rotation of Cleo, on another dashboard, is another one', () => cleo.rotation.isEmpty());
}

/**
 * @param {Claim} claim
 * @param {import('playwright-core').Page} page
 * @param {Person[]} people
 * @param {string} absent the note of Anna's absence of today
 * @returns {Promise<{ note: string }[]>} the absences that were added
 */
export async function claimRotation(claim, page, [anna, ben, cleo], absent) {
  const both = [anna, ben];
  await claim('Anna is absent today, so Ben stands in, on both screens and in both gadgets', async () => {
    for (const { rotation, absences } of both) {
      await rotation.showsOnDuty(BEN, 'Stands in for Anna, who is away');
      await rotation.logs('Ben stands in for Anna');
      await absences.showsStandIn(absent, 'Ben has the duty today');
    }
  });
  await claim('Anna removes her absence, and is on duty on both screens', async () => {
    await anna.absences.removeOwn();
    for (const { rotation } of both) {
      await rotation.showsOnDuty(ANNA);
      await rotation.logs('Anna is back');
    }
  });
  await claim('Ben takes over, and is on duty on both screens', async () => {
    await ben.rotation.takeOver();
    for (const { rotation } of both) {
      await rotation.showsOnDuty(BEN);
      await rotation.logs('Ben took over from Anna');
    }
  });
  await claim('Anna swaps her next day for that of Ben, and is on duty on both screens', async () => {
    await anna.rotation.swapFirst();
    for (const { rotation } of both) {
      await rotation.showsOnDuty(ANNA);
      await rotation.logs('Anna and Ben swapped');
    }
  });
  await claimConcurrency(claim, page, both);
  await claim('Anna takes over and falls ill: Ben stands in, on both screens', async () => {
    await anna.rotation.takeOver();
    await ben.rotation.showsOnDuty(ANNA);
    await anna.absences.write(SICK);
    await anna.absences.send();
    for (const { rotation } of both) await rotation.showsOnDuty(BEN, 'Stands in for Anna, who is away');
  });
  await claim('Nothing of this reached the rotation of Cleo, who starts her own', async () => {
    await cleo.rotation.isEmpty();
    await cleo.rotation.join();
    await cleo.rotation.showsOnDuty(CLEO);
    await ben.rotation.showsOnDuty(BEN);
  });
  return [SICK];
}

/**
 * Shows the page shortly before midnight, and lets the clock of the browser pass it.
 * @param {Claim} claim
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 */
export async function claimMidnight(claim, browser, url) {
  const context = await browser.newContext({ timezoneId: 'America/Los_Angeles' });
  const page = await context.newPage();
  const anna = new RotationGadget(page, MEMBERS[0].id);
  await claim(
    `At midnight in ${TIME_ZONE}, the next person is on duty, wherever the browser is`,
    async () => {
      await page.clock.install({ time: startOfTomorrow() - BEFORE_MIDNIGHT_MS });
      await page.goto(url);
      await anna.showsOnDuty(BEN, 'Stands in for Anna, who is away');
      await page.clock.fastForward(2 * BEFORE_MIDNIGHT_MS);
      await anna.showsOnDuty(ANNA);
    },
  );
  await context.close();
}

/**
 * Lets Anna and Ben ask for the same swap at the same time: one of the two requests is the later one, and would undo the other.
 * @param {Claim} claim
 * @param {import('playwright-core').Page} page
 * @param {Person[]} both
 */
async function claimConcurrency(claim, page, both) {
  const [today, tomorrow] = [0, 1].map(dayFromToday);
  const [anna, ben] = MEMBERS;
  await claim(
    'Of two swaps of the same days at the same time, one is made and the other refused',
    async () => {
      const functionKey = 'rotation.swap';
      const answers = await Promise.all([
        invoke(page, {
          member: anna.id,
          functionKey,
          payload: { day: today, otherDay: tomorrow, other: ben.accountId },
        }),
        invoke(page, {
          member: ben.id,
          functionKey,
          payload: { day: tomorrow, otherDay: today, other: anna.accountId },
        }),
      ]);
      const results = answers.map(({ result }) => result);
      same(results.filter(({ refused }) => refused).length, 1);
      const version = Math.max(...results.map(({ rotation }) => rotation.version));
      for (const { rotation } of both) {
        await rotation.showsVersion(version);
        await rotation.showsOnDuty(BEN);
      }
    },
  );
}

/**
 * @param {Claim} claim
 * @param {import('playwright-core').Page} page
 * @param {Person[]} people
 */
export async function claimReload(claim, page, people) {
  const contents = () => Promise.all(people.map(({ rotation }) => rotation.content()));
  await claim('A reload shows the same rotation on every screen', async () => {
    const before = await contents();
    if (!before.every((text) => text.includes('On duty today'))) throw new Error('A rotation is empty.');
    await page.reload();
    for (const { rotation, absences } of people) await Promise.all([rotation.ready(), absences.ready()]);
    same(await contents(), before);
  });
  await claim('After the reload, changes appear on every screen as before', async () => {
    const [anna, ben] = people;
    await ben.absences.write(LATER);
    await ben.absences.send();
    await anna.absences.shows(LATER.note);
  });
}
