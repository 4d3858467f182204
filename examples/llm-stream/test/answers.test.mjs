// The app as Forge builds it, on the test platform: a question, its answer from the consumer, and the viewers of an issue.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test, { after, beforeEach, mock } from 'node:test';
import { createTestRelay } from 'sealwire/testing';
import { App } from '../../test-platform/src/app.mjs';
import { TestPlatform } from '../../test-platform/src/platform.mjs';
import { Screen } from '../../test-platform/src/screen.mjs';

/** The users who may see issue 10042. */
const VIEWERS = ['anna', 'ben'];
const CONTEXT = {
  moduleKey: 'answers',
  extension: {
    type: 'jira:issuePanel',
    issue: { id: '10042', key: 'AB-7' },
    project: { id: '1', key: 'AB' },
  },
};

const app = await App.open(new URL('..', import.meta.url));
after(() => app.close());
const functions = await app.functions();

/** @type {TestPlatform} */
let platform;
/** @type {any} */
let handler;
/** @type {import('sealwire/testing').TestRelay} */
let relay;
/** @type {Readable[]} the answers of the model, one for each request */
let models;
/** @type {any[]} */
let prompts;

beforeEach(() => {
  models = [];
  prompts = [];
  platform = new TestPlatform({
    product: (accountId, path) =>
      path.startsWith('/rest/api/3/issue/10042?') && VIEWERS.includes(accountId)
        ? { id: '10042', fields: { project: { id: '1' } } }
        : undefined,
    model: (prompt) => {
      const answer = new Readable({ objectMode: true, read() {} });
      models.push(answer);
      prompts.push(prompt);
      return answer;
    },
  });
  handler = platform.handler(functions.handler);
  relay = createTestRelay();
});

/** @param {string} accountId */
const open = (accountId) =>
  Screen.open(relay, {
    app,
    script: 'page/main.ts',
    html: 'page/index.html',
    handler,
    context: CONTEXT,
    accountId,
  });

/** @param {string} accountId */
const pageOf = (accountId) => relay.realtime({ context: CONTEXT, accountId, handler });

/**
 * Asks on a screen, and returns the event that waits in the queue.
 * @param {Screen} screen
 */
async function ask(screen) {
  screen.type('input', 'Why?');
  screen.click('Ask');
  await screen.shows(/Why\? Answering …/);
  return platform.queue.take();
}

/**
 * Runs the consumer as the platform does: without a page.
 * @param {object} event
 */
const consume = (event) => relay.run(() => functions.consumer(event, { installContext: relay.installation }));

/**
 * Resolves once the model has received this many requests.
 * @param {number} count
 */
async function requests(count) {
  while (models.length < count) await new Promise((resolve) => setImmediate(resolve));
}

test("Forge's validation accepts the manifest without a warning", async () => {
  assert.deepEqual(await app.manifestProblems(), []);
});

test('the page can be bundled', async () => {
  assert.ok((await app.bundlePage('page/main.ts')).includes('main.js'));
});

test('everybody at the issue reads the answer while the consumer writes it, and also after a reload', async () => {
  const [anna, ben] = [await open('anna'), await open('ben')];
  const done = consume(await ask(anna));
  await requests(1);
  assert.equal(prompts.at(0).messages.at(-1).content, 'Why?');
  models.at(0)?.push('Because ');
  await Promise.all([anna, ben].map((screen) => screen.shows(/Why\? Because Answering …/)));

  const reloaded = await open('anna');
  await reloaded.shows(/Why\? Because Answering …/);
  models.at(0)?.push('of that.');
  models.at(0)?.push(null);
  await done;
  await Promise.all([anna, ben, reloaded].map((screen) => screen.shows(/Why\? Because of that\.$/)));
  assert.ok(anna.find('#cancel').hidden);
  await (await open('ben')).shows(/Why\? Because of that\./);
});

test(
  'the asker cancels, nobody else can, and the request to the model ends',
  { timeout: 60_000 },
  async () => {
    const [anna, ben] = [await open('anna'), await open('ben')];
    const event = await ask(anna);
    mock.timers.enable({ apis: ['Date'], now: Date.now() });
    try {
      const done = consume(event);
      await requests(1);
      models.at(0)?.push('One ');
      await ben.shows(/One/);

      await assert.rejects(
        relay.invoke(handler, 'cancel', { id: event.body.id }, ben.realtime),
        /only cancel the answer to your own question/,
      );
      anna.click('Cancel');
      await anna.shows(/Cancelling …/);
      mock.timers.tick(1_000);
      models.at(0)?.push('two');
      await done;
      await Promise.all([anna, ben].map((screen) => screen.shows(/Why\? One Cancelled\./)));
      assert.ok(models.at(0)?.destroyed);
    } finally {
      mock.timers.reset();
    }
  },
);

test('a model that breaks off ends the answer on every screen', async (t) => {
  const logged = t.mock.method(console, 'error', () => {});
  const anna = await open('anna');
  const done = consume(await ask(anna));
  await requests(1);
  models.at(0)?.push('One ');
  await anna.shows(/One/);
  models.at(0)?.destroy(new Error('The model is overloaded.'));
  await done;
  await anna.shows(/Why\? One The answer failed\. Ask again\./);
  assert.match(String(logged.mock.calls.at(0)?.arguments.at(1)), /overloaded/);
});

test('a consumer that the platform runs again starts the answer again, and runs no finished answer twice', async () => {
  const anna = await open('anna');
  const event = await ask(anna);
  // The first run never ends, as if its process had died.
  void consume(event);
  await requests(1);
  models.at(0)?.push('Lost');
  await anna.shows(/Lost/);

  const done = consume(event);
  await requests(2);
  models.at(1)?.push('Complete.');
  await anna.shows(/Why\? Complete\. Answering …/);
  models.at(1)?.push(null);
  await done;
  await anna.shows(/Why\? Complete\.$/);
  await consume(event);
  assert.equal(models.length, 2);
});

test('a user who may not see the issue neither asks nor reads', async () => {
  const mallory = pageOf('mallory');
  await assert.rejects(
    mallory.subscribe('questions', () => {}),
    { code: 'PERMISSION_MISSING' },
  );
  await assert.rejects(mallory.stream('answers', { id: 'x' }).ready, { code: 'PERMISSION_MISSING' });

  // Functions that the user calls directly verify the context in the same way.
  const call = (/** @type {string} */ functionKey, /** @type {string} */ accountId) =>
    platform.invoke(functions.handler, functionKey, { question: 'Why?' }, { context: CONTEXT, accountId });
  for (const functionKey of ['ask', 'latest', 'cancel']) {
    await assert.rejects(call(functionKey, 'mallory'), { code: 'SCOPE_REFUSED' });
  }
  assert.throws(() => platform.queue.take(), /No event/);
  assert.equal(await call('latest', 'anna'), null);
});

test('a page cannot publish text as if it came from the model', async () => {
  const { errors } = await pageOf('ben').publish('answers', { forged: true });
  assert.match(String(errors), /PERMISSION_MISSING/);
});

test('the stand-in answers in place of the model', async () => {
  process.env.LLM_STAND_IN = '1';
  try {
    const anna = await open('anna');
    await consume(await ask(anna));
    await anna.shows(/This answer comes from the stand-in .* cancel\.$/);
    assert.equal(models.length, 0);
  } finally {
    delete process.env.LLM_STAND_IN;
  }
});
