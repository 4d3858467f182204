import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { SealwireError, type StreamOptions } from '../../src/index.js';
import { fromPayload, toPayload, type StreamMessage } from '../../src/text-stream/format.js';
import { TextStreamPublisher, type Send } from '../../src/backend/text-stream-publisher.js';
import { createTestRelay } from '../../src/testing.js';
import { isError } from '../support/rejects.js';

const context = { installContext: 'ari:1', moduleKey: 'panel', extension: { issue: { id: '7' } } };

function setUp() {
  const relay = createTestRelay();
  const resolver = relay.resolver();
  const page = relay.realtime({ context });
  const create = (options = {}) =>
    resolver.createStream('answers', { id: 'a', context, publishesPerSecond: 50, ...options });
  const read = (options: StreamOptions = {}) => page.stream('answers', { id: 'a', ...options });
  const messages = () => relay.published().map(({ payload }) => fromPayload(payload)!);
  return { relay, resolver, page, create, read, messages };
}

/** Publishes one message of a stream unchanged. */
function say(resolver: ReturnType<typeof setUp>['resolver'], message: Partial<StreamMessage>) {
  const payload = toPayload({ id: 'a', run: 'r', seq: 0, text: '', ...message });
  return resolver.publish('answers', payload, { context });
}

async function pieces(stream: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const text of stream) all.push(text);
  return all;
}

test('the written text is read in order, to its end', async () => {
  const { create, read, messages } = setUp();
  const stream = read();
  await stream.ready;
  const publisher = create();
  for (const word of ['Hello', ', ', 'world']) {
    await publisher.write(word);
    await sleep(30);
  }
  await publisher.end();
  assert.equal(await stream.text(), 'Hello, world');
  assert.deepEqual(
    messages().map(({ seq, end }) => [seq, end]),
    messages().map((_, seq) => [seq, seq === messages().length - 1 ? true : undefined]),
  );
});

test('text written in quick succession is published together, at most at the rate', async () => {
  const { create, read, messages } = setUp();
  const publisher = create({ publishesPerSecond: 20 });
  const started = Date.now();
  for (let n = 0; n < 400; n += 1) {
    await publisher.write(`${n} `);
    if (n % 10 === 0) await sleep(5);
  }
  await publisher.end();
  const seconds = (Date.now() - started) / 1000;
  assert.ok(messages().length <= seconds * 20 + 2, `${messages().length} in ${seconds} s`);
  const text = await read().text();
  assert.equal(text, Array.from({ length: 400 }, (_, n) => `${n} `).join(''));
});

test('publishStream() publishes an iterable to its end, and an exception of the source reaches the caller only', async () => {
  const { resolver, read, relay } = setUp();
  async function* answer() {
    yield 'one ';
    yield 'two';
  }
  const options = { id: 'a', context, publishesPerSecond: 50 };
  const { id, messages } = await resolver.publishStream('answers', answer(), options);
  assert.equal(id, 'a');
  assert.equal(messages, relay.published().length);
  assert.equal(await read().text(), 'one two');

  async function* broken() {
    yield 'half';
    throw new Error('the model’s secret');
  }
  await assert.rejects(resolver.publishStream('answers', broken(), { ...options, id: 'b' }), /secret/);
  const stream = read({ id: 'b' });
  const heard: string[] = [];
  await assert.rejects(
    async () => {
      for await (const text of stream) heard.push(text);
    },
    isError('STREAM_FAILED', /^The publisher of the stream failed\.$/),
  );
  assert.deepEqual(heard, ['half']);
});

test('a stream belongs to the invocation that created it, even if another one writes to it', async () => {
  const { resolver, read } = setUp();
  const begin = resolver.wrap(async (_request: object, _runtime: object) =>
    resolver.createStream('answers', { id: 'a', publishesPerSecond: 50 }),
  );
  const publisher = await begin({ call: {}, context }, { installContext: 'ari:1' });
  await publisher.write('later');
  await publisher.end();
  assert.equal(await read().text(), 'later');
});

test('streams on one channel are separate, and other messages are ignored', async () => {
  const { create, read, resolver } = setUp();
  const [a, b, first] = [read(), read({ id: 'b' }), read({ id: undefined! })];
  await Promise.all([a.ready, b.ready, first.ready]);
  const publishers = [create({ id: 'b' }), create()];
  await resolver.publish('answers', { text: 'no stream' }, { context });
  for (const [index, publisher] of publishers.entries()) {
    await publisher.write(`of ${index}`);
    await publisher.end();
  }
  assert.deepEqual(await Promise.all([a.text(), b.text(), first.text()]), ['of 1', 'of 0', 'of 0']);
  assert.equal(first.id, 'b');
});

test('a late reader receives the stream from the start, and a reader that was cut off receives all of it', async () => {
  const { create, read, relay, page } = setUp();
  const publisher = create();
  await publisher.write('early ');
  await sleep(50);
  const late = read();
  await late.ready;
  relay.cut(page);
  await publisher.write('in the dark ');
  await sleep(50);
  relay.mend(page);
  await publisher.write('late');
  await publisher.end();
  assert.equal(await late.text(), 'early in the dark late');
});

test('missing messages end the stream with GAP, or are reported to onGap', async () => {
  const { read, resolver } = setUp();
  await say(resolver, { seq: 2, text: 'c' });
  await assert.rejects(read().text(), isError('GAP', /lacks 2 of its messages/));

  const marked: unknown[] = [];
  const stream = read({ onGap: ({ missing }) => marked.push(missing) });
  await stream.ready;
  await say(resolver, { seq: 3, text: 'd' });
  await say(resolver, { seq: 3, text: 'd' });
  await say(resolver, { seq: 6, text: 'g', end: true });
  assert.equal(await stream.text(), 'cdg');
  assert.deepEqual(marked, [2, 2]);
});

test('a restarted publisher ends the stream, or onRestart continues from the beginning', async () => {
  const { read, resolver } = setUp();
  let restarts = 0;
  const strict = read();
  const lenient = read({ onRestart: () => (restarts += 1) });
  await Promise.all([strict.ready, lenient.ready]);
  await say(resolver, { run: 'first', seq: 0, text: 'old' });
  assert.equal((await lenient.next()).value, 'old');
  await say(resolver, { run: 'second', seq: 0, text: 'new ' });
  await say(resolver, { run: 'first', seq: 1, text: 'straggler' });
  await say(resolver, { run: 'second', seq: 1, text: 'text', end: true });
  assert.equal(await lenient.text(), 'new text');
  assert.equal(restarts, 1);
  await assert.rejects(strict.text(), isError('STREAM_RESTARTED', /restarted/));
});

test('a silent stream fails, with the gap if there was one', async () => {
  const { read, resolver, relay, page } = setUp();
  await assert.rejects(read({ silenceSeconds: 0.05 }).text(), isError('STREAM_SILENT', /0\.05 seconds/));
  const stream = read({ silenceSeconds: 0.2 });
  await stream.ready;
  await say(resolver, { seq: 0, text: 'one' });
  await relay.settled();
  relay.cut(page);
  await say(resolver, { seq: 1, text: 'two', end: true });
  relay.forget();
  relay.mend(page);
  await assert.rejects(stream.text(), isError('GAP', /missed/));
});

test('leaving the loop, cancel() and a signal end the subscription', async () => {
  const { create, read, page } = setUp();
  const publisher = create();
  await publisher.write('one');
  for await (const text of read()) {
    assert.equal(text, 'one');
    break;
  }
  const cancelled = read();
  cancelled.cancel();
  assert.deepEqual(await pieces(cancelled), []);
  const controller = new AbortController();
  const aborted = read({ signal: controller.signal });
  controller.abort(new Error('of the app'));
  await assert.rejects(pieces(aborted), /of the app/);
  await assert.rejects(pieces(read({ signal: AbortSignal.abort(new Error('before')) })), /before/);
  await publisher.end();
  assert.equal(page.state, 'connected');
});

test('a refused subscription rejects ready and the iterator', async () => {
  const { page } = setUp();
  const stream = page.stream('answers', { contextOverrides: ['board'] });
  await assert.rejects(stream.ready, isError('SCOPE_REFUSED', /board/));
  await assert.rejects(pieces(stream), isError('SCOPE_REFUSED', /board/));
});

test('write() waits if the rate is exceeded, and rejects above the limit of waiting text', async () => {
  const waiting: (() => void)[] = [];
  const sent: number[] = [];
  const send: Send = (payload) => {
    sent.push(fromPayload(payload)!.text.length);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const publisher = new TextStreamPublisher('a', 50, send);
  let room = false;
  const written = publisher.write('x'.repeat(100_000)).then(() => (room = true));
  await sleep(20);
  assert.equal(room, false);
  await assert.rejects(publisher.write('x'.repeat(1_000_000)), isError('OVERLOADED', /Await write/));
  const pump = setInterval(() => waiting.splice(0).forEach((resolve) => resolve()), 5);
  await written;
  await publisher.end();
  clearInterval(pump);
  assert.ok(Math.max(...sent) <= 16 * 1024);
  assert.equal(
    sent.reduce((sum, length) => sum + length, 0),
    100_000,
  );
});

test('a surrogate pair is never split', async () => {
  const texts: string[] = [];
  const publisher = new TextStreamPublisher(
    'a',
    50,
    async (payload) => void texts.push(fromPayload(payload)!.text),
  );
  await publisher.write(`x${'😀'.repeat(20_000)}`);
  await publisher.end();
  assert.equal(texts.join(''), `x${'😀'.repeat(20_000)}`);
  for (const text of texts) assert.ok(text.isWellFormed?.() ?? true);
});

test('a retryable failure of a publish is retried, and another one fails the stream', async () => {
  const failures = [new SealwireError('RATE_LIMITED', 'Slow down.', { retryAfterMs: 20 })];
  const texts: string[] = [];
  const publisher = new TextStreamPublisher('a', 50, async (payload) => {
    const failure = failures.shift();
    if (failure) throw failure;
    texts.push(fromPayload(payload)!.text);
  });
  await publisher.write('x');
  await publisher.end();
  assert.equal(texts.join(''), 'x');

  const refused = new TextStreamPublisher('b', 50, async () => {
    throw new SealwireError('PERMISSION_MISSING', 'No.');
  });
  void refused.write('x');
  await sleep(30);
  await assert.rejects(refused.write('y'), isError('PERMISSION_MISSING', /No/));
  await assert.rejects(refused.end(), isError('PERMISSION_MISSING', /No/));
});

test('wrong calls are refused at once', async () => {
  const { page, create, resolver } = setUp();
  assert.throws(() => page.stream('', {}), isError('NAME_INVALID', /empty/));
  assert.throws(() => page.stream('n', { id: '' }), isError('INVALID_ARGUMENT', /id/));
  assert.throws(() => page.stream('n', { onGap: 1 as never }), isError('INVALID_ARGUMENT', /onGap/));
  assert.throws(() => page.stream('n', { silenceSeconds: 0 }), isError('INVALID_ARGUMENT', /silenceSeconds/));
  assert.throws(() => create({ publishesPerSecond: 51 }), isError('INVALID_ARGUMENT', /publishesPerSecond/));
  assert.throws(() => resolver.createStream('n'), isError('INVALID_ARGUMENT', /invocation is unknown/));
  await assert.rejects(
    resolver.publishStream('n', 7 as never, { context }),
    isError('INVALID_ARGUMENT', /iterable/),
  );
  const publisher = create();
  await assert.rejects(publisher.write(7 as never), isError('INVALID_ARGUMENT', /a? ?text, not number/));
  await publisher.end();
  await publisher.fail('too late, and harmless');
  await assert.rejects(publisher.write('x'), isError('INVALID_ARGUMENT', /has ended/));
});

test('closing the connection ends the reader at once with CLOSED', async () => {
  const { page, create, read } = setUp();
  const stream = read({ silenceSeconds: 60 });
  await stream.ready;
  await create().write('one ');
  assert.equal((await stream.next()).value, 'one ');
  const reading = stream.text();
  const waiting = page.stream('other').next();
  page.close();
  await assert.rejects(reading, isError('CLOSED', /was closed/));
  await assert.rejects(waiting, isError('CLOSED', /was closed/));
});
