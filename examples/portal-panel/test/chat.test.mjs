// The app as Forge builds it, on the test platform: the customer in the portal and the agent at the issue.
import assert from 'node:assert/strict';
import test, { after, beforeEach, mock } from 'node:test';
import { createTestRelay } from 'sealwire/testing';
import { App } from '../../test-platform/src/app.mjs';
import { TestPlatform } from '../../test-platform/src/platform.mjs';
import { Screen } from '../../test-platform/src/screen.mjs';

/** The users who may see each request. */
const ACCESS = new Map([
  ['HELP-1', ['carl', 'agnes']],
  ['HELP-2', ['dora', 'agnes']],
]);

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
      const [, key = ''] = path.match(/^\/rest\/servicedeskapi\/request\/([A-Z]+-\d+)$/) ?? [];
      const mayRead = ACCESS.get(key)?.includes(accountId);
      return mayRead ? { issueKey: key, serviceDeskId: '4', requestTypeId: '9' } : undefined;
    },
  });
  handler = platform.handler(functions.handler);
  relay = createTestRelay();
});

/** @param {string} key */
const inPortal = (key) => ({
  moduleKey: 'customer-panel',
  accountType: 'customer',
  extension: {
    type: 'jiraServiceManagement:portalRequestDetailPanel',
    portal: { id: 4 },
    request: { key, typeId: 9 },
  },
});

/** @param {string} key */
const atIssue = (key) => ({
  moduleKey: 'agent-panel',
  accountType: 'licensed',
  extension: { type: 'jira:issuePanel', issue: { id: '10001', key }, project: { id: '3', key: 'HELP' } },
});

/**
 * @param {string} accountId
 * @param {import('sealwire/resolver').ForgeContext} context
 */
const open = (accountId, context) =>
  Screen.open(relay, { app, script: 'page/main.js', html: 'page/index.html', handler, context, accountId });

/**
 * @param {Screen} screen
 * @param {string} text
 */
function send(screen, text) {
  screen.type('input', text);
  screen.click('Send');
}

test("Forge's validation accepts the manifest without a warning", async () => {
  assert.deepEqual(await app.manifestProblems(), []);
});

test('the page can be bundled', async () => {
  assert.ok((await app.bundlePage('page/main.js')).includes('main.js'));
});

test('customer and agent of a request write to each other, and both find the notes later', async () => {
  const carl = await open('carl', inPortal('HELP-1'));
  const agnes = await open('agnes', atIssue('HELP-1'));
  send(carl, 'My laptop is broken.');
  await agnes.shows(/My laptop is broken\./);
  send(agnes, 'A new one is on its way.');
  await carl.shows(/My laptop is broken\. ?A new one is on its way\./);
  assert.equal(carl.find('li[data-own]').textContent, 'My laptop is broken.');
  assert.equal(agnes.find('li[data-own]').textContent, 'A new one is on its way.');
  await (await open('carl', inPortal('HELP-1'))).shows(/My laptop is broken\. ?A new one is on its way\./);
});

test('the hint that the other side is typing appears, ends with the note, and expires', async () => {
  const carl = await open('carl', inPortal('HELP-1'));
  const agnes = await open('agnes', atIssue('HELP-1'));
  agnes.type('input', 'A');
  await carl.shows(/An agent is typing …/);
  assert.doesNotMatch(agnes.text, /typing/);
  send(agnes, 'A new one is on its way.');
  await carl.shows(/^A new one is on its way\. Send$/);

  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    carl.type('input', 'T');
    await agnes.shows(/The customer is typing …/);
    mock.timers.tick(6_000);
    assert.doesNotMatch(agnes.text, /typing/);
  } finally {
    mock.timers.reset();
  }
});

test('another customer sees nothing of the request', async () => {
  const dora = await open('dora', inPortal('HELP-2'));
  const carl = await open('carl', inPortal('HELP-1'));
  send(carl, 'My laptop is broken.');
  await carl.shows(/My laptop is broken\./);
  await relay.settled();
  assert.doesNotMatch(dora.text, /laptop/);

  // The same customer claims the context of the other request.
  const forged = await open('dora', inPortal('HELP-1'));
  assert.match(forged.text, /you have no access/);
  for (const [functionKey, payload] of /** @type {const} */ ([
    ['notes', undefined],
    ['addNote', { text: 'Hi' }],
    ['typing', undefined],
  ])) {
    await assert.rejects(relay.invoke(handler, functionKey, payload, forged.realtime), {
      code: 'PERMISSION_MISSING',
    });
  }
  await assert.rejects(
    forged.realtime.subscribe('chat', () => {}),
    { code: 'PERMISSION_MISSING' },
  );
  assert.doesNotMatch(forged.text, /laptop/);
});

test('an agent without access to the issue is refused, and so is an issue that is no request', async () => {
  for (const [accountId, key] of /** @type {const} */ ([
    ['alex', 'HELP-1'],
    ['agnes', 'DEV-1'],
  ])) {
    assert.match((await open(accountId, atIssue(key))).text, /This is no request, or you have no access/);
  }
});

test('the side of a note is that of the module, whatever the page claims', async () => {
  const call = (/** @type {object} */ caller) =>
    platform.invoke(functions.handler, 'notes', { side: 'agent' }, /** @type {any} */ (caller));
  const carl = { context: inPortal('HELP-1'), accountId: 'carl', module: 'customer-panel' };
  const agnes = { context: atIssue('HELP-1'), accountId: 'agnes', module: 'agent-panel' };
  assert.equal((await call(carl)).side, 'customer');
  assert.equal((await call(agnes)).side, 'agent');

  const claimed = { ...carl.context, moduleKey: 'agent-panel' };
  await assert.rejects(call({ ...carl, context: claimed }), { code: 'SCOPE_REFUSED' });
  await assert.rejects(call({ ...carl, context: inPortal('HELP-2') }), { code: 'PERMISSION_MISSING' });
});

test('a panel cannot publish, neither a note nor a hint', async () => {
  const carl = await open('carl', inPortal('HELP-1'));
  const { errors } = await carl.realtime.publish(
    'chat',
    { typing: 'agent' },
    { contextOverrides: ['request'] },
  );
  assert.match(String(errors), /PERMISSION_MISSING/);
});
