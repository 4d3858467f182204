// Implements --check: uses the gadgets of three users in headless Chromium, and asserts that the right users receive each
// change and that the relay can read none. rotation.mjs has the claims about the rotation, cluster.mjs those about a cluster.
import os from 'node:os';
import path from 'node:path';
import { contextOf, MEMBERS, TIME_ZONE } from '../platform/members.mjs';
import { AbsencesGadget } from './absences-gadget.mjs';
import { Assertions, same } from './assertions.mjs';
import { startBrowser } from './browser.mjs';
import { claimCluster } from './cluster.mjs';
import { claimConnections } from './connections.mjs';
import { dayFromToday } from './days.mjs';
import { invoke } from './invoke.mjs';
import { claimJoining, claimMidnight, claimReload, claimRotation } from './rotation.mjs';
import { RotationGadget } from './rotation-gadget.mjs';
import { claimSecrecy } from './secrecy.mjs';

const ANNA = { kind: 'Vacation', from: 1, to: 9, note: 'Sailing round Öland, Ben stands in for me' };
const BEN = { kind: 'Training', from: 9, to: 11, note: 'Rust course in Utrecht' };
const CLEO = { kind: 'Parental leave', from: 3, to: 60, note: 'Welcome little Matteo' };
/** Anna has the duty of today. */
const SECOND = { kind: 'Sick leave', from: 0, to: 0, note: 'Dentist, back tomorrow morning' };

/**
 * @param {import('../demo.mjs').RunningDemo} demo
 * @param {import('../arguments.mjs').Arguments} options
 * @returns {Promise<number>} the number of failed assertions
 */
export async function check(demo, { unsafeEval, screenshot }) {
  const assertions = new Assertions();
  const claim = assertions.claim.bind(assertions);
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({
      viewport: { width: 1480, height: 1240 },
      colorScheme: 'light',
      timezoneId: TIME_ZONE,
    });
    /** @type {string[]} */
    const errors = [];
    page.on('pageerror', (error) => errors.push(error.message));
    let webSockets = 0;
    page.on('websocket', () => (webSockets += 1));
    await page.goto(demo.url);
    const people = MEMBERS.map(({ id }) => ({
      absences: new AbsencesGadget(page, id),
      rotation: new RotationGadget(page, id),
    }));
    const gadgets = people.flatMap(({ absences, rotation }) => [absences, rotation]);

    await claim('Six gadgets, two of each person, load their state and connect', async () => {
      for (const gadget of gadgets) await gadget.ready();
    });
    if (assertions.failed === 0) {
      await claimCore(claim, demo, unsafeEval, gadgets);
      for (const gadget of gadgets) await gadget.mark();
      if (demo.cluster) await claimCluster(claim, page, people);
      else await claimAll(claim, demo, page, people, webSockets);
      await claim('No page was reloaded', async () => {
        for (const gadget of gadgets) same(await gadget.isMarked(), true);
      });
      if (!demo.cluster) {
        await claimReload(claim, page, people);
        await claimMidnight(claim, browser, demo.url);
      }
      await claim('No script on any page failed', () => same(errors, []));
    }

    const picture = screenshot ?? path.join(os.tmpdir(), 'forge-host.png');
    if (!demo.cluster) await showForPicture(page);
    await page.screenshot({ path: picture, fullPage: true });
    console.log(`Screenshot: ${picture}`);
  } finally {
    await browser.close();
  }
  console.log(assertions.summary());
  return assertions.failed;
}

/**
 * @param {Claim} claim
 * @param {import('../demo.mjs').RunningDemo} demo
 * @param {import('playwright-core').Page} page
 * @param {Person[]} people
 * @param {number} webSockets the number of WebSockets that the page opened
 */
async function claimAll(claim, demo, page, people, webSockets) {
  await claimConnections(claim, demo.recorder, webSockets);
  await claimJoining(claim, people);
  await claimDelivery(claim, demo, people);
  await claimLookers(claim, people);
  const more = await claimRotation(claim, page, people, SECOND.note);
  await claimForgery(claim, page);
  await claimSecrecy(claim, demo.recorder, [ANNA, BEN, CLEO, SECOND, ...more]);
}

/** @typedef {{ absences: AbsencesGadget, rotation: RotationGadget }} Person */
/** @typedef {Assertions['claim']} Claim */

/**
 * @param {Claim} claim
 * @param {Person[]} people
 */
async function claimLookers(claim, people) {
  const [anna, ben, cleo] = people.map(({ absences }) => absences);
  await claim('Anna and Ben see the avatars of both, and Cleo sees only her own', async () => {
    for (const gadget of [anna, ben]) await gadget.showsLookers('Anna Lindqvist', 'Ben');
    await cleo.showsLookers('Cleo');
  });
}

/**
 * @param {Claim} claim
 * @param {import('../demo.mjs').RunningDemo} demo
 * @param {boolean} unsafeEval
 * @param {import('./gadget.mjs').Gadget[]} gadgets
 */
async function claimCore(claim, { policies, violations }, unsafeEval, gadgets) {
  await claim(`Forge's policy ${unsafeEval ? 'allows' : 'forbids'} eval in the gadgets`, () => {
    for (const policy of policies) {
      const scripts = policy.split('; ').find((directive) => directive.startsWith('script-src')) ?? '';
      same(scripts.includes("'unsafe-eval'"), unsafeEval);
    }
  });
  await claim(
    `The core runs as ${unsafeEval ? 'WebAssembly' : 'plain JavaScript'} in all of them`,
    async () => {
      for (const gadget of gadgets) same(await gadget.core(), unsafeEval ? 'wasm' : 'js');
    },
  );
  await claim('No page violated its policy', () => {
    same([...new Set(violations.map(({ blocked }) => blocked))], []);
  });
}

/**
 * @param {Claim} claim
 * @param {import('../demo.mjs').RunningDemo} demo
 * @param {Person[]} people
 */
async function claimDelivery(claim, { recorder }, people) {
  const [anna, ben, cleo] = people.map(({ absences }) => absences);
  const received = (/** @type {number} */ member) =>
    recorder.rows.filter(
      ({ accountId, kind }) => accountId === MEMBERS[member].accountId && kind === 'Publication',
    ).length;

  await anna.write(ANNA);
  await claim(
    'While Anna fills in the form, Ben sees that she is adding an absence (browser to browser)',
    () => ben.hints('Anna Lindqvist is adding'),
  );
  await claim('Cleo sees no hint', async () => same(await cleo.hint(), ''));
  await anna.send();
  await claim('Anna adds an absence and Ben sees it (function to browser)', () => ben.shows(ANNA.note));
  await claim("The hint disappears from Ben's gadget", async () => {
    await ben.shows(ANNA.note);
    await new Promise((resolve) => setTimeout(resolve, 300));
    same(await ben.hint(), '');
  });
  await ben.write(BEN);
  await ben.send();
  await claim('Ben adds one and Anna sees it', () => anna.shows(BEN.note));

  await claim('Cleo, on another dashboard, sees neither', async () => {
    same([await cleo.lacks(ANNA.note), await cleo.lacks(BEN.note)], [true, true]);
  });
  await claim('No message reached Cleo, who is subscribed', () => {
    same(received(2), 0);
    if (received(0) === 0 || received(1) === 0)
      throw new Error('The recorder saw no message to Anna or Ben.');
    const subscribed = recorder.rows.some(
      ({ accountId, kind }) => accountId === MEMBERS[2].accountId && kind === 'Subscribed',
    );
    if (!subscribed) throw new Error('The recorder saw no subscription of Cleo.');
  });

  await cleo.write(CLEO);
  await cleo.send();
  await claim('Cleo adds one on the other dashboard, Anna and Ben do not see it', async () => {
    await cleo.shows(CLEO.note);
    await new Promise((resolve) => setTimeout(resolve, 500));
    same([await anna.lacks(CLEO.note), await ben.lacks(CLEO.note)], [true, true]);
  });

  await anna.removeOwn();
  await claim("Anna removes her absence and it disappears from Ben's list", () => ben.hides(ANNA.note));
  await anna.write(SECOND);
  await anna.send();
  await claim('Anna adds another and Ben sees it', () => ben.shows(SECOND.note));
}

/**
 * Replays Cleo's calls with the dashboard of Anna and Ben in the context, as any user of Jira can.
 * @param {Claim} claim
 * @param {import('playwright-core').Page} page
 */
async function claimForgery(claim, page) {
  const [anna, , cleo] = MEMBERS;
  const { extension } = contextOf(anna, { key: 'absences', place: 1 });
  /** @param {import('../platform/members.mjs').Member} member @param {string} functionKey @param {object} payload */
  const forged = (member, functionKey, payload) =>
    invoke(page, { member: member.id, functionKey, payload, context: { extension } });
  await claim("A call that names another user's dashboard gets no session", async () => {
    const { error = '', result } = await forged(cleo, 'sealwire:session', { reason: 'connect' });
    same([error.includes('PERMISSION_MISSING'), result], [true, undefined]);
    const own = await forged(anna, 'sealwire:session', { reason: 'connect' });
    same(own.result?.context?.dashboard, anna.dashboard.id);
  });
  await claim('Such a call neither reads nor changes absences and rotation', async () => {
    const days = { from: dayFromToday(0), to: dayFromToday(1) };
    for (const functionKey of ['absences.list', 'absences.add', 'rotation.get', 'rotation.join']) {
      const { error = '', result } = await forged(cleo, functionKey, { kind: 'sick', ...days });
      same([error.includes('authorize() refused'), result], [true, undefined]);
    }
  });
}

/**
 * Prepares the page for the screenshot: a search for a text that is not found.
 * @param {import('playwright-core').Page} page
 */
async function showForPicture(page) {
  await page.getByRole('searchbox').fill('Rust course');
  await page
    .locator('#found')
    .getByText(/ found |Found/i)
    .waitFor({ timeout: 5_000 })
    .catch(() => {});
}
