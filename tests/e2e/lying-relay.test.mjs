// A relay that repeats messages, leaves them out or delivers old ones. The tests lie in its place: between the app's backend
// and the relay, with the messages that the package sealed.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { publisherThrough } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

/** Returns a publisher, which is one sender, and whose requests `relay` answers in place of the relay. */
function publisher(system, relay) {
  return publisherThrough(system, (url, request) =>
    relay(request, (body) => fetch(url, { ...request, body: JSON.stringify(body) })),
  );
}

/** Returns an answer of the relay to one message. */
const answer = (result) =>
  new Response(JSON.stringify({ results: [result] }), { headers: { 'content-type': 'application/json' } });

const acceptance = () => answer({ eventId: '0000000000000001-1', eventTimestamp: Date.now() });
const refusal = () =>
  answer({ error: { code: 'PERMISSION_MISSING', message: 'the relay refuses this message' } });

/** Runs a test with a subscribed page. */
const withPage = (run, options) => async () => {
  const system = await startSystem(options);
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    await run(system, page);
  } finally {
    await system.stop();
  }
};

for (const webAssembly of [true, false]) {
  const build = webAssembly ? 'WebAssembly' : 'plain JavaScript';

  test(
    `a message that is published again under another id is delivered once and counted (${build})`,
    withPage(
      async (system, page) => {
        const publish = publisher(system, async (request, post) => {
          const body = JSON.parse(request.body);
          const response = await post(body);
          body.messages[0].id = randomBytes(16).toString('base64url');
          await post(body);
          return response;
        });
        for (const number of [1, 2]) assert.equal((await publish({ number })).errors, undefined);
        await receivedCount(page, 2);
        await page.waitForFunction(() => globalThis.realtime.repeatedMessages === 2);
        assert.deepEqual(await received(page), [{ number: 1 }, { number: 2 }]);
        assert.deepEqual(await problems(page), []);
      },
      { webAssembly },
    ),
  );

  test(
    `a message that was acknowledged and left out is a gap before the next one of its sender (${build})`,
    withPage(
      async (system, page) => {
        let lies = [];
        const publish = publisher(system, (request, post) =>
          (lies.shift() ?? post)(JSON.parse(request.body)),
        );
        await publish({ number: 1 });
        lies = [refusal];
        assert.equal((await publish({ number: 2 })).errors?.[0]?.code, 'PERMISSION_MISSING');
        await publish({ number: 3 });
        await receivedCount(page, 2);
        assert.deepEqual(await problems(page), [], 'a refused message is not left out');
        lies = [acceptance];
        assert.equal((await publish({ number: 4 })).errors, undefined);
        await publish({ number: 5 });
        await publish({ number: 6 });
        await receivedCount(page, 4);
        assert.deepEqual(
          (await received(page)).map(({ number }) => number),
          [1, 3, 5, 6],
        );
        const [problem, ...others] = await problems(page);
        assert.deepEqual([problem.code, problem.gap.reason, problem.gap.from], ['GAP', 'withheld', null]);
        assert.deepEqual(others, []);
      },
      { webAssembly },
    ),
  );
}

test('a message of six minutes ago is refused once a new session has told the time', async () => {
  const system = await startSystem();
  try {
    let recorded;
    const record = publisher(system, (request) => {
      recorded = JSON.parse(request.body);
      return acceptance();
    });
    await record({ from: 'the past' });
    system.site.state.aheadMs = 6 * 60_000;
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    const replay = publisher(system, (request, post) => post(recorded));
    assert.equal((await replay({})).errors, undefined);
    await page.waitForFunction(() => globalThis.problems.length > 0);
    const [{ code, message }] = await problems(page);
    assert.equal(code, 'MESSAGE_STALE');
    assert.match(message, /clocks/);
    assert.deepEqual(await received(page), []);
  } finally {
    await system.stop();
  }
});
