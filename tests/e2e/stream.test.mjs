// Streams of text, such as a model's answer, from a backend through a real relay to a page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contextOf } from './support/backend.mjs';
import { startSystem } from './support/system.mjs';

const context = contextOf('anna', '10001');
const WORDS = Array.from({ length: 300 }, (_, n) => `word-${n} `);

/** Yields a word every ten milliseconds, as a model does. */
async function* answer(words = WORDS) {
  for (const word of words) {
    await sleep(10);
    yield word;
  }
}

/** Reads a stream in the page into `globalThis.texts[id]`. */
async function read(page, id, options = {}) {
  await page.evaluate(
    async ([stream, given]) => {
      const reading = globalThis.realtime.stream('answers', { id: stream, ...given });
      const entry = { pieces: [], error: undefined, ended: false };
      globalThis.texts = { ...globalThis.texts, [stream]: entry };
      void (async () => {
        try {
          for await (const text of reading) entry.pieces.push(text);
          entry.ended = true;
        } catch (error) {
          entry.error = error.code;
        }
      })();
      await reading.ready;
    },
    [id, options],
  );
}

async function over(page, id) {
  await page.waitForFunction(
    (stream) => globalThis.texts[stream].ended || globalThis.texts[stream].error,
    id,
    { timeout: 30_000 },
  );
  return page.evaluate((stream) => globalThis.texts[stream], id);
}

test('two concurrent streams arrive complete through a cut, within their rate, and for a late page', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('ben');
    await Promise.all([read(page, 'a'), read(page, 'b')]);
    const publishing = ['a', 'b'].map((id) =>
      system.backend.publishStream('answers', answer(WORDS.map((word) => `${id}-${word}`)), { id, context }),
    );
    await sleep(1_000);
    const late = await system.open('cleo');
    await read(late, 'a');
    system.proxy.cut();
    await sleep(700);
    system.proxy.restore();

    for (const { id, messages } of await Promise.all(publishing)) {
      assert.ok(messages >= 10 && messages <= 60, `${messages} messages`);
      const { pieces, error } = await over(page, id);
      assert.equal(error, undefined);
      assert.equal(pieces.join(''), WORDS.map((word) => `${id}-${word}`).join(''));
    }
    const { pieces } = await over(late, 'a');
    assert.equal(pieces.join(''), WORDS.map((word) => `a-${word}`).join(''));
    assert.ok(system.proxy.connections() >= 4);
  } finally {
    await system.stop();
  }
});

test('a stream with missing messages ends with GAP, and one whose publisher fails with STREAM_FAILED', async () => {
  const system = await startSystem({ relay: 'replay_window = "1s"' });
  try {
    const page = await system.open('ben');
    await read(page, 'gone', { replaySeconds: 1 });
    const publisher = system.backend.createStream('answers', { id: 'gone', context });
    await publisher.write('one ');
    await page.waitForFunction(() => globalThis.texts.gone.pieces.length > 0);
    system.proxy.cut();
    await publisher.write('two ');
    await sleep(3_000);
    system.proxy.restore();
    await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, { timeout: 20_000 });
    await publisher.write('three');
    await publisher.end();
    assert.deepEqual(await over(page, 'gone'), { pieces: ['one '], error: 'GAP', ended: false });

    // The default replay is longer than this relay's replay window.
    await read(page, 'failed');
    const failing = system.backend.createStream('answers', { id: 'failed', context });
    await failing.write('half an ans');
    await failing.fail('The model gave up.');
    assert.deepEqual(await over(page, 'failed'), {
      pieces: ['half an ans'],
      error: 'STREAM_FAILED',
      ended: false,
    });
  } finally {
    await system.stop();
  }
});
