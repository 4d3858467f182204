// The app as Forge builds it, on the test platform: what users of a Confluence page see and may do.
import assert from 'node:assert/strict';
import test, { after, beforeEach } from 'node:test';
import { createTestRelay } from 'sealwire/testing';
import { App } from '../../test-platform/src/app.mjs';
import { TestPlatform } from '../../test-platform/src/platform.mjs';
import { Screen } from '../../test-platform/src/screen.mjs';
import { Tally } from '../pages/poll/tally.js';

const CONFIG = { question: 'Lunch?', options: ['Pizza', 'Soup'] };
/** The users who may see page 77. */
const READERS = ['anna', 'ben', 'cara'];

const app = await App.open(new URL('..', import.meta.url));
after(() => app.close());
const functions = await app.functions();

/** @type {TestPlatform} */
let platform;
/** @type {any} */
let handler;
/** @type {import('sealwire/testing').TestRelay} */
let relay;

beforeEach(() => {
  platform = new TestPlatform({
    product: (accountId, path) => {
      const [, id] = path.match(/^\/wiki\/api\/v2\/pages\/(\d+)$/) ?? [];
      if (id === '77' && READERS.includes(accountId)) return { id, spaceId: '5' };
      if (id === '78') return { id, spaceId: '5' };
      return undefined;
    },
  });
  handler = platform.handler(functions.handler);
  relay = createTestRelay();
});

/**
 * @param {string} content
 * @param {string} [localId]
 */
const contextOf = (content, localId = 'poll-1') => ({
  moduleKey: 'poll',
  localId,
  extension: { type: 'macro', content: { id: content, type: 'page' }, space: { id: '5' }, config: CONFIG },
});

/**
 * @param {string} accountId
 * @param {string} [content]
 * @param {string} [localId]
 */
const open = (accountId, content = '77', localId) =>
  Screen.open(relay, {
    app,
    script: 'pages/poll/main.js',
    html: 'pages/poll/index.html',
    handler,
    context: contextOf(content, localId),
    accountId,
  });

/**
 * @param {string} accountId
 * @param {string} [content]
 */
const pageOf = (accountId, content = '77') =>
  relay.realtime({ context: contextOf(content), accountId, handler });

/** @param {import('sealwire').Realtime} page */
const votes = async (page) => (await relay.invoke(handler, 'votes', undefined, page)).votes;

test("Forge's validation accepts the manifest without a warning", async () => {
  assert.deepEqual(await app.manifestProblems(), []);
});

test('the pages can be bundled', async () => {
  for (const page of ['poll', 'config']) {
    assert.ok((await app.bundlePage(`pages/${page}/main.js`)).includes('main.js'));
  }
});

test('a vote appears on every screen of the page at once, and can be changed', async () => {
  const [anna, ben] = [await open('anna'), await open('ben')];
  anna.click('Pizza');
  await Promise.all([anna, ben].map((screen) => screen.shows(/Pizza 1 Soup 0 1 votes/)));
  ben.click('Pizza');
  await Promise.all([anna, ben].map((screen) => screen.shows(/Pizza 2 Soup 0 2 votes/)));
  anna.click('Soup');
  await Promise.all([anna, ben].map((screen) => screen.shows(/Pizza 1 Soup 1 2 votes/)));
  assert.equal(anna.find('[aria-pressed=true]').textContent, 'Soup');
  const late = await open('cara');
  await late.shows(/Pizza 1 Soup 1 2 votes/);
  assert.equal(late.document.querySelector('[aria-pressed=true]'), null);
});

test('concurrent votes are all counted, and those of one account once', async () => {
  const pages = READERS.map((accountId) => pageOf(accountId));
  const [anna] = pages;
  await Promise.all(pages.map((page) => relay.invoke(handler, 'vote', { option: 'Pizza' }, page)));
  await Promise.all(
    ['Pizza', 'Soup', 'Pizza', 'Soup'].map((option) => relay.invoke(handler, 'vote', { option }, anna)),
  );
  assert.equal((await votes(/** @type {any} */ (anna))).length, READERS.length);
});

test('two first votes of one account at the same time use one ballot', async () => {
  const anna = pageOf('anna');
  const cast = await Promise.all(
    ['Pizza', 'Soup'].map((option) => relay.invoke(handler, 'vote', { option }, anna)),
  );
  assert.equal(new Set(cast.map(({ ballot }) => ballot)).size, 1);
  assert.equal((await votes(anna)).length, 1);
});

test('nobody votes for somebody else, and votes name no account', async () => {
  const [anna, ben] = [pageOf('anna'), pageOf('ben')];
  const { ballot } = await relay.invoke(handler, 'vote', { option: 'Pizza' }, anna);
  await relay.invoke(handler, 'vote', { option: 'Soup', accountId: 'anna', ballot }, ben);
  const stored = await votes(ben);
  assert.equal(stored.find((/** @type {any} */ vote) => vote.ballot === ballot).option, 'Pizza');
  assert.equal(stored.length, 2);
  assert.doesNotMatch(JSON.stringify([stored, relay.published()]), /anna|ben/);

  // A page has no permission to publish a vote of its own making.
  const { errors } = await ben.publish('votes:poll-1', { ballot, option: 'Soup', at: Date.now() });
  assert.match(String(errors), /PERMISSION_MISSING/);
});

test('a user who may not see the page neither reads nor votes', async () => {
  await assert.rejects(
    pageOf('mallory').subscribe('votes:poll-1', () => {}),
    { code: 'PERMISSION_MISSING' },
  );
  assert.match((await open('mallory')).text, /authorize\(\) refused/);

  // Functions that the user calls directly verify the context in the same way.
  const call = (/** @type {string} */ functionKey, /** @type {string} */ accountId) =>
    platform.invoke(
      functions.handler,
      functionKey,
      { option: 'Soup' },
      { context: contextOf('77'), accountId },
    );
  for (const functionKey of ['votes', 'vote']) {
    await assert.rejects(call(functionKey, 'mallory'), { code: 'SCOPE_REFUSED' });
  }
  assert.deepEqual((await call('votes', 'anna')).votes, []);
});

test('polls of other pages, and other polls of the same page, stay apart', async () => {
  const here = await open('anna');
  const others = () => Promise.all([open('anna', '78'), open('anna', '77', 'poll-2')]);
  const before = await others();
  here.click('Pizza');
  await here.shows(/1 votes/);
  await relay.settled();
  for (const screen of [...before, ...(await others())]) {
    assert.match(screen.text, /Pizza 0 Soup 0 0 votes/);
  }
});

test('a vote for an option that the poll does not have changes no count', async () => {
  const anna = await open('anna');
  await relay.invoke(handler, 'vote', { option: 'Cake' }, pageOf('ben'));
  await relay.settled();
  assert.match(anna.text, /Pizza 0 Soup 0 0 votes/);
  for (const option of ['', 'x'.repeat(101), 7, undefined]) {
    await assert.rejects(relay.invoke(handler, 'vote', { option }, pageOf('ben')), /An option is a text/);
  }
});

test('votes that a page missed appear after the gap', async () => {
  const anna = await open('anna');
  relay.cut(anna.realtime);
  await relay.invoke(handler, 'vote', { option: 'Soup' }, pageOf('ben'));
  relay.forget();
  relay.mend(anna.realtime);
  await anna.shows(/Soup 1/);
});

test('a vote that arrives late does not replace a newer one of the same ballot', () => {
  const tally = new Tally();
  tally.add({ ballot: 'a', option: 'Soup', at: 2 });
  tally.add({ ballot: 'a', option: 'Pizza', at: 1 });
  assert.equal(tally.count('Soup'), 1);
  assert.equal(tally.count('Pizza'), 0);
});

test('the editor saves the question and the options', async () => {
  const screen = await Screen.open(relay, {
    app,
    script: 'pages/config/main.js',
    html: 'pages/config/index.html',
    handler,
    context: contextOf('77'),
    accountId: 'anna',
  });
  assert.equal(screen.find('textarea').value, 'Pizza\nSoup');
  screen.type('textarea', ' Pizza \nPizza\n');
  screen.click('Save');
  await screen.shows(/at least two different options/);
  screen.type('textarea', 'Pizza\n\n Salad \nPizza');
  screen.click('Save');
  assert.deepEqual(screen.submitted, [{ config: { question: 'Lunch?', options: ['Pizza', 'Salad'] } }]);
});
