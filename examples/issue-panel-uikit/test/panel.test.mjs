// The app as Forge builds it, on the test platform: the panels of two users at an issue, and Jira's events about comments.
import assert from 'node:assert/strict';
import test, { after, beforeEach } from 'node:test';
import { createTestRelay } from 'sealwire/testing';
import { App } from '../../test-platform/src/app.mjs';
import { TestPlatform } from '../../test-platform/src/platform.mjs';
import { UiKitScreen } from '../../test-platform/src/ui-kit-screen.mjs';

/** The users who may see each issue. */
const VIEWERS = new Map([
  ['10042', ['anna', 'ben']],
  ['10043', ['dora']],
]);
/** The number of comments that each user may see. */
const comments = new Map();

const app = await App.open(new URL('..', import.meta.url));
after(() => app.close());
const functions = await app.functions();

/** @type {TestPlatform} */
let platform;
/** @type {any} */
let handler;
/** @type {import('sealwire/testing').TestRelay} */
let relay;

/**
 * Jira's answers, as each user sees them.
 * @param {string} accountId
 * @param {string} path
 */
function product(accountId, path) {
  const [, id = '', rest = ''] = path.match(/^\/rest\/api\/3\/issue\/(\d+)(.*)$/) ?? [];
  if (!VIEWERS.get(id)?.includes(accountId)) return undefined;
  if (rest.startsWith('/comment?')) return { total: comments.get(accountId) ?? 0 };
  return { id, fields: { project: { id: '1' } } };
}

beforeEach(() => {
  comments.clear();
  platform = new TestPlatform({ product });
  handler = platform.handler(functions.handler);
  relay = createTestRelay();
});

/** @param {string} id */
const atIssue = (id) => ({
  moduleKey: 'work',
  extension: { type: 'jira:issuePanel', issue: { id, key: `AB-${id}` }, project: { id: '1', key: 'AB' } },
});

/**
 * @param {string} accountId
 * @param {string} issue
 */
const open = (accountId, issue = '10042') =>
  UiKitScreen.open(relay, {
    app,
    file: 'src/frontend/panel.tsx',
    component: 'Panel',
    handler,
    context: atIssue(issue),
    accountId,
    product,
  });

/**
 * Delivers an event of Jira about a comment to the app.
 * @param {string} eventType
 */
const deliver = (eventType, id = '10042') =>
  relay.run(() => functions.commented({ eventType, issue: { id } }, { installContext: relay.installation }));

test("Forge's validation accepts the manifest without a warning", async () => {
  assert.deepEqual(await app.manifestProblems(), []);
});

test('everybody at an issue sees who works on it, at once and later', async () => {
  const anna = await open('anna');
  const ben = await open('ben');
  await anna.shows(/At work: nobody I work on it/);
  await ben.shows(/At work: nobody I work on it/);
  anna.click('I work on it');
  await ben.shows(/At work: @anna I work on it/);
  await anna.shows(/At work: @anna I stop/);
  ben.click('I work on it');
  await anna.shows(/At work: @anna @ben I stop/);
  await (await open('ben')).shows(/At work: @anna @ben I stop/);
  anna.click('I stop');
  await ben.shows(/At work: @ben I stop/);
  await (await open('anna')).shows(/At work: @ben I work on it/);
});

test('a comment changes the number for everybody, to the comments that each user may see', async () => {
  comments.set('anna', 2).set('ben', 1);
  const anna = await open('anna');
  const ben = await open('ben');
  await anna.shows(/Comments: 2/);
  await ben.shows(/Comments: 1/);
  // A comment that Ben may not see.
  comments.set('anna', 3);
  await deliver('avi:jira:commented:issue');
  await anna.shows(/Comments: 3/);
  comments.set('anna', 2).set('ben', 0);
  await deliver('avi:jira:deleted:comment');
  await anna.shows(/Comments: 2/);
  await ben.shows(/Comments: 0/);
});

test('another issue sees nothing of it, and a user without access is refused', async () => {
  const dora = await open('dora', '10043');
  await dora.shows(/nobody/);
  const anna = await open('anna');
  await anna.shows(/nobody/);
  anna.click('I work on it');
  await anna.shows(/@anna/);
  await relay.settled();
  assert.doesNotMatch(dora.text, /anna/);

  const forged = await open('dora', '10042');
  await forged.shows(/The app does not permit realtime here/);
  const caller = { context: atIssue('10042'), accountId: 'dora' };
  for (const functionKey of ['workers', 'setWorking']) {
    await assert.rejects(platform.invoke(functions.handler, functionKey, { isWorking: true }, caller), {
      code: 'PERMISSION_MISSING',
    });
  }
});

test('a panel cannot publish who works, or that a comment was written', async () => {
  const anna = await open('anna');
  await anna.shows(/nobody/);
  for (const channel of ['work', 'comments']) {
    const { errors } = await anna.realtime.publish(
      channel,
      { accountId: 'ben' },
      { contextOverrides: ['issue'] },
    );
    assert.match(String(errors), /PERMISSION_MISSING/);
  }
});
