// The examples of Forge Realtime's documentation, with only the import changed, run against a real relay through the real
// @forge/bridge, @forge/resolver and @forge/kvs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setExamples } from './support/examples.mjs';

const VIEW = { user: 'blue-ada', module: 'panel', issue: '7', project: '3' };

const examples = setExamples();

/** Opens the page of a view, and subscribes as the example does. */
async function open(example, view = {}) {
  const page = await examples.open({ ...VIEW, ...view });
  await page.evaluate((name) => globalThis.examples[name](), example);
  return page;
}

const received = (page) => page.evaluate(() => globalThis.received);

/** Asserts that the pages `reached` receive the messages in order, and that the others have received none by then. */
async function mustReachOnly(messages, reached, others) {
  for (const page of reached) {
    await page.waitForFunction((count) => globalThis.received.length >= count, messages.length);
    assert.deepEqual(await received(page), messages);
  }
  for (const page of others) assert.deepEqual(await received(page), []);
}

test('default context: messages of page and resolver reach the same module on the same issue', async () => {
  const pages = [await open('defaultContext'), await open('defaultContext', { user: 'blue-ben' })];
  const elsewhere = [
    await open('defaultContext', { issue: '8' }),
    await open('defaultContext', { module: 'issue-context' }),
  ];
  const result = await pages[0].evaluate(() => globalThis.publish('from the page'));
  assert.match(result.eventId, /^[0-9a-f]{16}-\d+$/);
  assert.match(result.eventTimestamp, /^\d{13}$/);
  assert.equal(result.errors, undefined);
  const answer = await pages[1].evaluate(() => globalThis.invoke('announce', { text: 'from the resolver' }));
  assert.equal(answer.errors, undefined);
  await mustReachOnly(['from the page', 'from the resolver'], pages, elsewhere);

  await pages[0].evaluate(() => globalThis.leave());
  await pages[1].evaluate(() => globalThis.publish({ third: true }));
  await mustReachOnly(['from the page', 'from the resolver', { third: true }], [pages[1]], elsewhere);
  assert.equal((await received(pages[0])).length, 2);
});

test('context override: messages reach the same project on every issue and module', async () => {
  const pages = [
    await open('overriddenContext'),
    await open('overriddenContext', { issue: '8', module: 'issue-context' }),
  ];
  const elsewhere = [await open('overriddenContext', { project: '4' }), await open('defaultContext')];
  await pages[0].evaluate(() => globalThis.publish({ n: 1 }, globalThis.inProject));
  await examples.invoke(VIEW, 'announceInProject', { text: 'two' });
  await mustReachOnly([{ n: 1 }, 'two'], pages, elsewhere);
});

test('global channels: messages reach every page of the installation', async () => {
  const pages = [await open('globalChannel'), await open('globalChannel', { project: '4', module: 'admin' })];
  const elsewhere = [await open('defaultContext')];
  await pages[0].evaluate(() => globalThis.publishGlobal('one'));
  await examples.invoke(VIEW, 'announceGlobally', { text: 'two' });
  await mustReachOnly(['one', 'two'], pages, elsewhere);
});

test('custom claims: messages reach only pages whose token has the same claims', async () => {
  const pages = [await open('customClaims'), await open('customClaims', { user: 'blue-ben' })];
  const elsewhere = [await open('customClaims', { user: 'red-cleo' }), await open('defaultContext')];
  await examples.invoke(VIEW, 'announceToTeam', { text: 'one' });
  await examples.invoke({ ...VIEW, user: 'blue-ben' }, 'announceToTeam', { text: 'two' });
  await mustReachOnly(['one', 'two'], pages, elsewhere);
});
