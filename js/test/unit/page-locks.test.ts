import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageLocks } from '../../src/sharing/locks.js';
import { PageChannel } from '../../src/sharing/page-channel.js';
import { pageOf, type Page } from '../../src/sharing/page.js';
import { settled } from '../support/fake-page.js';

const newPage = (): Page => ({ locks: new Map(), channels: new Map(), names: 0 });
const owner = () => ({ defaultView: {} }) as Document;
const held = () => {
  let release = () => {};
  const promise = new Promise<void>((resolve) => (release = resolve));
  return { promise, release };
};

test('a lock has one holder, and passes to the next in line', async () => {
  const page = newPage();
  const [first, second] = [new PageLocks(page, owner()), new PageLocks(page, owner())];
  const order: string[] = [];
  const hold = held();
  const done = first.request('n', () => (order.push('first'), hold.promise));
  assert.equal(order.length, 0, 'nothing runs before request() returns');
  const next = second.request('n', () => void order.push('second'));
  await settled();
  await second.request('n', { ifAvailable: true }, (lock) => void order.push(`available: ${lock !== null}`));
  assert.deepEqual(order, ['first', 'available: false']);
  hold.release();
  await Promise.all([done, next]);
  assert.deepEqual(order, ['first', 'available: false', 'second']);
  await second.request('n', { ifAvailable: true }, (lock) => void order.push(`available: ${lock !== null}`));
  assert.equal(order.at(-1), 'available: true');
  assert.equal(page.locks.size, 0);
});

test('a request can be aborted, and a holder that throws releases the lock', async () => {
  const page = newPage();
  const locks = new PageLocks(page, owner());
  const hold = held();
  const holding = locks.request('n', async () => {
    await hold.promise;
    throw new Error('of the holder');
  });
  const waiting = new AbortController();
  const waits = locks.request('n', { signal: waiting.signal }, () => assert.fail('never'));
  await settled();
  waiting.abort(new Error('stop'));
  await assert.rejects(waits, /stop/);
  hold.release();
  await assert.rejects(holding, /of the holder/);
  assert.equal(page.locks.size, 0);
  await assert.rejects(
    locks.request('n', { signal: AbortSignal.abort(new Error('late')) }, () => hold.promise),
    /late/,
  );
  assert.equal(page.locks.size, 0);
});

test('a frame that leaves releases its locks at once', async () => {
  const page = newPage();
  const [first, second] = [new PageLocks(page, owner()), new PageLocks(page, owner())];
  void first.request('n', () => new Promise(() => {}));
  const granted: unknown[] = [];
  void second.request('n', (lock) => void granted.push(lock));
  await settled();
  first.releaseAll();
  await settled();
  assert.deepEqual(granted, [{ name: 'n' }]);
});

test('a channel delivers copies to the others in order, and nothing once it is closed', async () => {
  const page = newPage();
  const [first, second, other] = ['n', 'n', 'm'].map((name) => new PageChannel(page, owner(), name));
  const heard: unknown[] = [];
  for (const channel of [first!, second!, other!]) channel.onmessage = ({ data }) => heard.push(data);
  const message = { type: 'frame', data: new Uint8Array([1, 2]).buffer };
  first!.postMessage(message);
  first!.postMessage('next');
  assert.deepEqual(heard, [], 'nothing is heard before postMessage() returns');
  await settled();
  assert.deepEqual(heard, [message, 'next']);
  assert.notEqual(heard[0], message);
  second!.postMessage('late');
  first!.close();
  await settled();
  assert.equal(heard.length, 2);
  for (const channel of [second!, other!]) channel.close();
  assert.equal(page.channels.size, 0);
});

/** Returns windows as a frame sees them: those of another origin throw. */
function windows() {
  const foreign = (frames: object[]) =>
    new Proxy(
      { ...frames, length: frames.length },
      {
        get(target, property) {
          if (property in target) return Reflect.get(target, property);
          throw new Error('SecurityError');
        },
        has: () => true,
      },
    );
  const [ada, ben, inner] = [0, 1, 2].map(() => ({ length: 0 }) as Record<string, unknown>);
  const top = foreign([ada!, foreign([inner!]), ben!]);
  for (const own of [ada, ben, inner]) own!['top'] = top;
  return { ada, ben, inner } as unknown as Record<'ada' | 'ben' | 'inner', Window>;
}

test('frames of one origin share one object, also through frames of other origins', () => {
  const { ada, ben, inner } = windows();
  const page = pageOf(inner);
  assert.ok(page);
  assert.equal(pageOf(ada), page);
  assert.equal(pageOf(ben), page);
  assert.equal(pageOf(ada), page);
  assert.notEqual(pageOf(windows().ada), page);
});
