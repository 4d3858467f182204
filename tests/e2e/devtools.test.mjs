// The panel of sealwire/devtools in Chromium: live, usable by keyboard and screen reader, and within a strict policy.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertAccessible } from './support/axe.mjs';
import { contextOf } from './support/backend.mjs';
import { receivedCount, startSystem } from './support/system.mjs';

const TABS = ['Connection', 'Subscriptions', 'Messages', 'Publications'];
const ON_DASHBOARD = { contextOverrides: ['dashboard'] };
const context = contextOf('anna', '10001');

let system;
before(async () => {
  system = await startSystem();
});
after(() => system?.stop());

/** Opens the page of a user who has subscribed, and then the panel. */
async function openPanel({ user = 'ben', replaySeconds = 30, open = true } = {}) {
  const page = await system.open(user);
  await page.setViewportSize({ width: 760, height: 480 });
  const options = { ...ON_DASHBOARD, replaySeconds };
  await page.evaluate((given) => globalThis.subscribe('absences', given), options);
  await page.evaluate(() => {
    globalThis.violations = [];
    addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
      globalThis.violations.push(violatedDirective),
    );
  });
  await page.evaluate((isOpen) => globalThis.showDevtools({ open: isOpen }), open);
  return page;
}

const choose = (page, name) => page.getByRole('tab', { name }).click();
const row = (page, ...texts) =>
  texts.reduce(
    (found, hasText) => found.filter({ hasText }),
    page.getByRole('tabpanel').getByRole('listitem'),
  );

/** Publishes from the app's resolver. */
async function publish(payload, options = {}) {
  const { errors } = await system.backend.publish('absences', payload, {
    ...ON_DASHBOARD,
    ...options,
    context,
  });
  assert.equal(errors, undefined);
}

/** Returns the text, or else the label, of the focused element in the panel. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement?.shadowRoot?.activeElement;
    return element?.getAttribute('role') === 'tabpanel' ? 'panel' : (element?.textContent ?? '');
  });

describe('the panel', () => {
  test('shows the connection, and a subscription that is older than the panel', async () => {
    const page = await openPanel();
    const panel = page.getByRole('tabpanel');
    for (const text of ['connected', 'WebSocket', 'js (plain JavaScript)', 'dashboard = 10001', 'none']) {
      await panel.getByText(text).first().waitFor();
    }
    await panel.getByText(/^\d\d:\d\d:\d\d/).waitFor();
    await choose(page, 'Subscriptions');
    const record = row(page, 'absences');
    await record.filter({ hasText: 'subscribed' }).waitFor();
    const text = await record.innerText();
    for (const part of ['scope: dashboard = 10001', 'access: session', 'replay: 30 s', 'no gaps']) {
      assert.ok(text.includes(part), text);
    }
    assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
    await page.context().close();
  });

  test('shows messages as they come, their payload, the position, and what a filter finds', async () => {
    const page = await openPanel({ replaySeconds: 0 });
    await choose(page, 'Messages');
    await publish({ person: 'Anna', days: 3 }, { eventName: 'added' });
    await publish({ person: 'Cleo' }, { eventName: 'removed' });
    await row(page, 'removed', 'Cleo').waitFor();
    assert.match(await page.getByRole('tabpanel').getByRole('listitem').first().innerText(), /Cleo/);
    await row(page, 'added').locator('summary').click();
    await row(page, 'added').locator('pre').waitFor();
    const details = await row(page, 'added').innerText();
    assert.ok(details.includes('{\n  "person": "Anna",\n  "days": 3\n}'), details);
    const [, position] = /subscription #1 · position (\d+)/.exec(details);
    await page.getByLabel('text').fill('cleo');
    await page.getByText('1 of 2').waitFor();
    assert.equal(await row(page, 'Anna').count(), 0);
    await page.getByLabel('text').fill('');
    await page.getByLabel('event').fill('add');
    await row(page, 'Anna').waitFor();
    await page.getByText('1 of 2').waitFor();
    await choose(page, 'Subscriptions');
    await row(page, '2 messages').waitFor();
    const [, latest] = /position: (\d+)/.exec(await row(page, 'absences').innerText());
    assert.ok(Number(latest) > Number(position), `${latest} follows ${position}`);
    await page.context().close();
  });

  test('pauses and clears the messages, and counts those that came meanwhile', async () => {
    const page = await openPanel({ replaySeconds: 0 });
    await choose(page, 'Messages');
    await publish({ n: 1 });
    await page.getByText('1 of 1', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await publish({ n: 2 });
    await page.getByText('2 messages').waitFor();
    await page.getByText('1 of 1, paused').waitFor();
    assert.equal(await row(page, '"n":2').count(), 0);
    await page.getByRole('button', { name: 'Pause' }).click();
    await row(page, '"n":2').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('0 of 0').waitFor();
    await publish({ n: 3 });
    await row(page, '"n":3').waitFor();
    await page.context().close();
  });

  test('shows publications of the page with their outcome, and a failure as the last error', async () => {
    const page = await openPanel();
    await choose(page, 'Publications');
    await page.evaluate((options) => globalThis.realtime.publish('absences', { n: 1 }, options), {
      ...ON_DASHBOARD,
      eventName: 'added',
    });
    await row(page, 'absences', 'added').filter({ hasText: 'ms' }).locator('summary').click();
    await row(page, /accepted at position \d+/).waitFor();
    await page.evaluate(() =>
      globalThis.realtime.publish('absences', { n: 2 }, { contextOverrides: ['board'] }),
    );
    await row(page, 'SCOPE_REFUSED').waitFor();
    await choose(page, 'Connection');
    await page.getByText(/publication to absences: SCOPE_REFUSED: .*board/).waitFor();
    await page.context().close();
  });

  test('shows the loss of the connection and a gap, and announces them to screen readers', async () => {
    const page = await openPanel();
    const status = page.getByRole('status');
    await status.filter({ hasText: 'Sealwire is connected.' }).waitFor({ state: 'attached' });
    await system.relay.kill();
    await status.filter({ hasText: 'Sealwire is reconnecting.' }).waitFor({ state: 'attached' });
    await choose(page, 'Subscriptions');
    await row(page, 'resuming').waitFor();
    await system.relay.restart();
    await row(page, 'subscribed', '1 gap, latest: epoch').waitFor();
    await choose(page, 'Messages');
    await row(page, 'GAP', 'epoch, from').waitFor();
    await status.filter({ hasText: 'GAP' }).waitFor({ state: 'attached' });
    await page.context().close();
  });

  test('is usable with the keyboard alone', async () => {
    const page = await openPanel({ open: false });
    const panels = page.getByRole('tabpanel');
    await page.keyboard.press('Tab');
    assert.match(await focused(page), /^Sealwire/);
    assert.equal(await panels.count(), 0);
    await page.keyboard.press('Enter');
    await panels.waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Connection');
    for (const name of ['Subscriptions', 'Messages', 'Publications', 'Connection']) {
      await page.keyboard.press('ArrowRight');
      assert.equal(await focused(page), name);
      await page.getByRole('tabpanel', { name }).waitFor();
    }
    await page.keyboard.press('End');
    assert.equal(await focused(page), 'Publications');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'panel');
    for (const name of ['Pause', 'Clear']) {
      await page.keyboard.press('Tab');
      assert.equal(await focused(page), name);
    }
    await page.keyboard.press('Escape');
    assert.equal(await panels.count(), 0);
    assert.match(await focused(page), /^Sealwire/, 'the bar has the focus again');
    await page.context().close();
  });

  test('keeps an open message and the focus in place while others come', async () => {
    const page = await openPanel({ replaySeconds: 0 });
    await choose(page, 'Messages');
    await publish({ n: 1 });
    await row(page, '"n":1').locator('summary').focus();
    await page.keyboard.press('Enter');
    await publish({ n: 2 });
    await row(page, '"n":2').waitFor();
    assert.match(await focused(page), /"n":1/);
    await row(page, 'subscription #1').waitFor();
    await page.context().close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`has no serious accessibility problem in ${colorScheme} colours`, async () => {
      const page = await openPanel({ replaySeconds: 0 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await publish({ person: 'Anna Lindqvist', from: '2026-11-30', days: 3 }, { eventName: 'added' });
      await publish({ person: 'Ben Okafor', on: '2026-12-01' }, { eventName: 'duty' });
      await publish({ person: 'Anna Lindqvist', note: 'Back on Thursday' }, { eventName: 'changed' });
      await receivedCount(page, 3);
      await page.evaluate(() =>
        globalThis.realtime.publish('absences', { typing: true }, { contextOverrides: ['board'] }),
      );
      for (const name of TABS) {
        await choose(page, name);
        await assertAccessible(page, 'sealwire-devtools');
      }
      await choose(page, 'Messages');
      await row(page, 'added').locator('summary').click();
      await assertAccessible(page, 'sealwire-devtools');
      if (process.env.SEALWIRE_WRITE_DOCS) await paint(page, colorScheme);
      await page.context().close();
    });
  }

  test('is removed by the function that showDevtools() returns, and observes nothing from then on', async () => {
    const page = await openPanel();
    await page.evaluate(() => globalThis.hideDevtools());
    assert.equal(await page.locator('sealwire-devtools').count(), 0);
    await publish({ n: 1 });
    await receivedCount(page, 1);
    await page.evaluate(() => globalThis.showDevtools({ open: true }));
    await page.getByText('0 messages').waitFor();
    await page.context().close();
  });

  test('takes an element with a client, and refuses anything but a client', async () => {
    const page = await openPanel();
    const thrown = await page.evaluate(() => {
      globalThis.hideDevtools();
      const element = document.createElement('sealwire-devtools');
      const codes = [{}, 7, null].map((client) => {
        try {
          element.client = client;
          return 'accepted';
        } catch ({ code, message }) {
          return `${code} ${message}`;
        }
      });
      element.client = globalThis.realtime;
      element.setAttribute('open', '');
      document.body.append(element);
      return codes;
    });
    for (const text of thrown)
      assert.match(text, /^INVALID_ARGUMENT The client must be realtime of sealwire/);
    await page.getByRole('tabpanel').getByText('connected').waitFor();
    await page.context().close();
  });
});

/** Writes the picture of docs/devtools.md. */
async function paint(page, colorScheme) {
  const file = fileURLToPath(new URL(`../../docs/images/devtools-${colorScheme}.png`, import.meta.url));
  await page.locator('sealwire-devtools').screenshot({ path: file });
}
