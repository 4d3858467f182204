// The relay's console for operators in Chromium: live, usable by keyboard and screen reader, closed to other pages.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { assertAccessible } from './support/axe.mjs';
import { launch } from './support/browser.mjs';
import { setExamples } from './support/examples.mjs';

const TOKEN = 'an-operator-token-of-the-e2e-test-0123456789';
/** The name of the installation in the examples' tokens. */
const INSTALLATION = 'ari:cloud:ecosystem::installation/examples#examples';
const folder = mkdtempSync(path.join(tmpdir(), 'sealwire-console-'));
const tokenFile = path.join(folder, 'token');
writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
const examples = setExamples(
  () => ({ presence: true }),
  () =>
    `admin_listen = "127.0.0.1:0"\nadmin_token_file = ${JSON.stringify(tokenFile)}\npresence_grace = "5s"`,
);

let browser;
before(async () => {
  browser = await launch(['--host-resolver-rules=MAP rebound.example 127.0.0.1']);
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const address = () => `http://127.0.0.1:${examples.adminPort()}/console`;

/** Opens the console, and collects the problems that the page reports. */
async function openConsole(colorScheme = 'light') {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1440, height: 1000 } });
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(address());
  await page.locator('#state[data-state=live]').waitFor();
  return { page, problems };
}

async function openApp(user) {
  const page = await examples.open({ user, module: 'panel', issue: '7', project: '3' });
  await page.evaluate(() => globalThis.examples.defaultContext());
  await page.waitForFunction(() => globalThis.states.includes('connected'));
  return page;
}

/** Makes a page a member of the presence that all of these pages watch. */
const enterPresence = (page) =>
  page.evaluate(async () => {
    globalThis.presence = await globalThis.realtime.presence('readers');
    await globalThis.presence.enter();
  });

/** Waits for a value above the table about presence. */
const presenceFact = (page, name, value) =>
  page
    .locator('#presence-summary div', { has: page.getByText(name, { exact: true }) })
    .getByText(String(value), { exact: true })
    .waitFor();

/** Waits for the row of the only channel with a presence. */
const presenceChannel = (page, members, watchers) =>
  page
    .locator('#presence tbody tr:only-child', {
      hasText: new RegExp(`^[0-9a-f]{16}${members}${watchers}[\\d.–]+$`),
    })
    .waitFor();

const announce = (text) =>
  examples.invoke({ user: 'anna', module: 'panel', issue: '7', project: '3' }, 'announce', { text });

/** Writes the picture of docs/operating.md. */
async function paint(page, colorScheme) {
  await tile(page, 'Sessions', /^3 subscriptions$/);
  await page.locator('#channels tbody tr').waitFor();
  const file = fileURLToPath(new URL(`../../docs/images/console-${colorScheme}.png`, import.meta.url));
  await page.screenshot({ path: file, fullPage: true });
}

async function lookUp(page, account) {
  await page.getByLabel('Installation', { exact: true }).fill(INSTALLATION);
  await page.getByLabel('Account', { exact: true }).fill(account);
  await page.getByRole('button', { name: 'Look up' }).click();
  await page.locator('#found .summary').waitFor();
}

const tile = (page, name, value) =>
  page.locator('.tiles > div', { hasText: name }).locator('dd', { hasText: value }).first().waitFor();

describe('the console', () => {
  test('shows sessions, subscriptions and publications as they come and go', async () => {
    const { page, problems } = await openConsole();
    const anna = await openApp('anna');
    await tile(page, 'Connections', /^1$/);
    await page.locator('#channels tbody tr').first().waitFor();
    await page.locator('#installations tbody tr', { hasText: '1' }).waitFor();
    await announce('x');
    await tile(page, 'Latency', /≤/);
    await anna.close();
    await tile(page, 'Connections', /^0$/);
    assert.deepEqual(problems, []);
    await page.close();
  });

  test('finds the sessions of an account, ends them with the token only, and shows why they ended', async () => {
    const { page, problems } = await openConsole();
    const ben = await openApp('ben');
    await lookUp(page, 'ben');
    await page.getByText('1 (connections: 1)').waitFor();
    const end = async (token) => {
      await page.getByLabel('Token for changes').fill(token);
      await page.getByRole('button', { name: 'End sessions', exact: true }).click();
    };
    await page.getByRole('button', { name: 'End these sessions…' }).click();
    await end('a-wrong-token');
    await page.getByText('the token is not the one in the file of admin_token_file').waitFor();
    assert.equal(await ben.evaluate(() => globalThis.states.includes('reconnecting REVOKED')), false);
    await end(TOKEN);
    await ben.waitForFunction(() => globalThis.states.includes('reconnecting REVOKED'));
    await page.locator('#found tbody tr', { hasText: 'REVOKED' }).waitFor();
    assert.equal(await page.locator('#confirm').isVisible(), false);
    assert.equal(await page.getByLabel('Token for changes').inputValue(), '');
    // The attempt with a wrong token is among the refusals.
    await page.locator('#codes tbody tr', { hasText: 'PERMISSION_MISSING' }).waitFor();
    // A refused request is an error in Chromium's console.
    assert.deepEqual(
      problems.filter((text) => !text.includes('401')),
      [],
    );
    await ben.close();
    await page.close();
  });

  test('shows the members and watchers of a presence, and members whose connection broke', async () => {
    const { page, problems } = await openConsole();
    await page.locator('#presence', { hasText: 'There are no members and no watchers.' }).waitFor();
    const [anna, ben] = [await openApp('anna'), await openApp('ben')];
    await enterPresence(anna);
    await enterPresence(ben);
    await presenceFact(page, 'Members', 2);
    await presenceFact(page, 'Watchers', 2);
    await presenceFact(page, 'Without a connection', 0);
    await presenceChannel(page, 2, 2);
    await anna.context().close();
    await presenceFact(page, 'Without a connection', 1);
    await presenceChannel(page, 2, 1);
    // The grace time ends.
    await presenceChannel(page, 1, 1);
    await presenceFact(page, 'Without a connection', 0);
    await ben.context().close();
    await page.locator('#presence', { hasText: 'There are no members and no watchers.' }).waitFor();
    assert.deepEqual(problems, []);
    await page.close();
  });

  test('shows every column of its small tables, also on a phone', async () => {
    const { page } = await openConsole();
    const anna = await openApp('anna');
    await enterPresence(anna);
    await presenceChannel(page, 1, 1);
    for (const width of [1440, 1100, 390]) {
      await page.setViewportSize({ width, height: 1000 });
      const cut = await page
        .locator('.columns .table')
        .evaluateAll((tables) =>
          tables.filter((table) => table.scrollWidth > table.clientWidth).map(({ id }) => id),
        );
      assert.deepEqual(cut, [], `at ${width} pixels`);
    }
    await anna.context().close();
    await page.close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`has no serious accessibility problem in ${colorScheme} colours`, async () => {
      const { page } = await openConsole(colorScheme);
      const pages = await Promise.all(['anna', 'ben', 'cleo'].map(openApp));
      for (const text of ['one', 'two', 'three']) await announce(text);
      await Promise.all(pages.map(enterPresence));
      await tile(page, 'Connections', /^3$/);
      await presenceChannel(page, 3, 3);
      await lookUp(page, 'ben');
      await assertAccessible(page);
      if (process.env.SEALWIRE_WRITE_DOCS) await paint(page, colorScheme);
      await page.getByRole('button', { name: 'End these sessions…' }).click();
      await assertAccessible(page);
      await Promise.all([...pages, page].map((each) => each.close()));
    });
  }

  test('is usable with the keyboard alone', async () => {
    const { page } = await openConsole();
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
    const name = () => page.evaluate(() => document.activeElement?.getAttribute('name'));
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Pause');
    await page.keyboard.press('Enter');
    await page.locator('#state[data-state=waiting]').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('#state[data-state=live]').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Dark');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    // The table of refusals can be scrolled with the keyboard.
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'codes');
    for (const field of ['app', 'installation', 'account']) {
      await page.keyboard.press('Tab');
      assert.equal(await name(), field);
      if (field === 'installation') await page.keyboard.type(INSTALLATION);
      if (field === 'account') await page.keyboard.type('ben');
    }
    await page.keyboard.press('Enter');
    await page.locator('#found .summary').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'End these sessions…');
    await page.keyboard.press('Enter');
    assert.equal(await name(), 'token');
    await page.keyboard.press('Escape');
    assert.equal(await focused(), 'End these sessions…');
    await page.close();
  });

  test('shows an id as text, also if it is markup, and loads nothing from elsewhere', async () => {
    const { page, problems } = await openConsole();
    const requests = [];
    page.on('request', (request) => requests.push(new URL(request.url()).origin));
    const markup = '<img src="https://evil.example/x" onerror="globalThis.ran = true">';
    await lookUp(page, markup);
    await page.getByRole('button', { name: 'End these sessions…' }).click();
    await page.getByText(markup).waitFor();
    assert.equal(await page.locator('#found img, dialog img').count(), 0);
    assert.equal(await page.evaluate(() => globalThis.ran), undefined);
    // Scripts in the page are forbidden by the policy, even if markup got in.
    const policy = await page.evaluate(() => {
      try {
        document.body.innerHTML = '<p></p>';
        return 'permitted';
      } catch (error) {
        return error.name;
      }
    });
    assert.equal(policy, 'TypeError');
    assert.deepEqual(new Set(requests), new Set([new URL(address()).origin]));
    assert.ok(
      problems.every((text) => text.includes('TrustedHTML')),
      String(problems),
    );
    await page.close();
  });

  test('answers no page of another origin and no name that DNS decides', async () => {
    const other = await examples.open({ user: 'eve', module: 'panel', issue: '7', project: '3' });
    const attempts = await other.evaluate(async (url) => {
      const outcome = (promise) =>
        promise.then(
          (answer) => `read ${answer.status}`,
          () => 'refused',
        );
      const body = JSON.stringify({ installation: 'any', account: 'ben' });
      const events = new EventSource(`${url}/events`);
      const stream = await new Promise((resolve) => {
        events.addEventListener('snapshot', () => resolve('read'));
        events.addEventListener('error', () => resolve('refused'));
      });
      events.close();
      return [
        stream,
        await outcome(fetch(url)),
        await outcome(fetch(`${url}/lookup`, { method: 'POST', body })),
        await outcome(fetch(`${url}/lookup`, { method: 'POST', body, headers: { 'Sealwire-Console': '1' } })),
        await outcome(fetch(`${url}/disconnect`, { method: 'POST', body, mode: 'no-cors' })),
      ];
    }, address());
    assert.deepEqual(attempts, Array(5).fill('refused'));
    const rebound = await browser.newPage();
    const answer = await rebound.goto(address().replace('127.0.0.1', 'rebound.example'));
    assert.equal(answer?.status(), 403);
    assert.match(await rebound.content(), /DNS rebinding/);
    await rebound.close();
    await other.close();
  });
});
