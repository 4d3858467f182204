// Implements --check: uses the gadgets of three users in headless Chromium, and asserts that the right users receive each
// change and that the relay can read none. For a cluster, cluster.mjs has the claims.
import os from 'node:os';
import path from 'node:path';
import { MEMBERS } from '../platform/members.mjs';
import { Assertions, same } from './assertions.mjs';
import { startBrowser } from './browser.mjs';
import { claimCluster } from './cluster.mjs';
import { Gadget } from './gadget.mjs';
import { claimSecrecy } from './secrecy.mjs';

const ANNA = { kind: 'Vacation', from: 1, to: 9, note: 'Sailing round Öland, Ben stands in for me' };
const BEN = { kind: 'Training', from: 2, to: 4, note: 'Rust course in Utrecht' };
const CLEO = { kind: 'Parental leave', from: 0, to: 60, note: 'Welcome little Matteo' };
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
    const page = await browser.newPage({ viewport: { width: 1480, height: 1240 }, colorScheme: 'light' });
    /** @type {string[]} */
    const errors = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(demo.url);
    const [anna, ben, cleo] = MEMBERS.map(({ id }) => new Gadget(page, id));

    await claim('Three gadgets load their list and connect', async () => {
      for (const gadget of [anna, ben, cleo]) await gadget.ready();
    });
    if (assertions.failed === 0) {
      await claimCore(claim, demo, unsafeEval, [anna, ben, cleo]);
      if (demo.cluster) {
        await claimCluster(claim, page, [anna, ben, cleo]);
      } else {
        await claimDelivery(claim, demo, anna, ben, cleo);
        await claimForgery(claim, page);
        await claimSecrecy(claim, demo.recorder, [ANNA, BEN, CLEO, SECOND]);
      }
      await claim('No script on any page failed', () => same(errors, []));
    }

    const picture = screenshot ?? path.join(os.tmpdir(), 'forge-host.png');
    if (!demo.cluster) await showForPicture(page, anna, assertions.failed === 0);
    await page.screenshot({ path: picture, fullPage: true });
    console.log(`Screenshot: ${picture}`);
  } finally {
    await browser.close();
  }
  console.log(assertions.summary());
  return assertions.failed;
}

/** @typedef {Assertions['claim']} Claim */

/**
 * @param {Claim} claim
 * @param {import('../demo.mjs').RunningDemo} demo
 * @param {boolean} unsafeEval
 * @param {Gadget[]} gadgets
 */
async function claimCore(claim, { policy, violations }, unsafeEval, gadgets) {
  const scripts = policy.split('; ').find((directive) => directive.startsWith('script-src')) ?? '';
  await claim(`Forge's policy ${unsafeEval ? 'allows' : 'forbids'} eval in the gadget`, () =>
    same(scripts.includes("'unsafe-eval'"), unsafeEval),
  );
  await claim(
    `The core runs as ${unsafeEval ? 'WebAssembly' : 'plain JavaScript'} in all three`,
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
 * @param {Gadget} anna
 * @param {Gadget} ben
 * @param {Gadget} cleo
 */
async function claimDelivery(claim, { recorder }, anna, ben, cleo) {
  const received = (/** @type {number} */ member) =>
    recorder.rows.filter(
      ({ accountId, kind }) => accountId === MEMBERS[member].accountId && kind === 'Publication',
    ).length;
  for (const gadget of [anna, ben, cleo]) await gadget.mark();

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
  await claim('No page was reloaded', async () => {
    for (const gadget of [anna, ben, cleo]) same(await gadget.isMarked(), true);
  });
}

/**
 * Replays Cleo's calls with the dashboard of Anna and Ben in the context, as any user of Jira can.
 * @param {Claim} claim
 * @param {import('playwright-core').Page} page
 */
async function claimForgery(claim, page) {
  const [anna, , cleo] = MEMBERS;
  /** @param {import('../platform/members.mjs').Member} member @param {string} functionKey @param {object} payload */
  const forged = (member, functionKey, payload) =>
    page.evaluate(
      async (call) => (await fetch('/api/invoke', { method: 'POST', body: JSON.stringify(call) })).json(),
      {
        member: member.id,
        functionKey,
        payload,
        context: {
          extension: {
            type: 'jira:dashboardGadget',
            dashboard: { id: anna.dashboard.id },
            gadget: anna.gadget,
          },
        },
      },
    );
  await claim("A call that names another user's dashboard gets no session", async () => {
    const { error = '', result } = await forged(cleo, 'sealwire:session', { reason: 'connect' });
    same([error.includes('PERMISSION_MISSING'), result], [true, undefined]);
    const own = await forged(anna, 'sealwire:session', { reason: 'connect' });
    same(own.result?.context?.dashboard, anna.dashboard.id);
  });
  await claim('Such a call neither reads nor adds absences', async () => {
    for (const functionKey of ['absences.list', 'absences.add']) {
      const { error = '', result } = await forged(cleo, functionKey, {
        ...SECOND,
        from: '2026-01-01',
        to: '2026-01-02',
      });
      same([error.includes('authorize() refused'), result], [true, undefined]);
    }
  });
}

/**
 * Prepares the page for the screenshot: an open form, and a search for a text that is not found.
 * @param {import('playwright-core').Page} page
 * @param {Gadget} anna
 * @param {boolean} works
 */
async function showForPicture(page, anna, works) {
  if (works) await anna.write({ kind: 'Vacation', from: 28, to: 40, note: 'Hiking in the Dolomites' });
  await page.getByRole('searchbox').fill('Rust course');
  await page
    .locator('#found')
    .getByText(/ found |Found/i)
    .waitFor({ timeout: 5_000 })
    .catch(() => {});
}
