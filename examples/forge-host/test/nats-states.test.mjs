import assert from 'node:assert/strict';
import test from 'node:test';
import { statesOf } from '../src/cluster/nats-states.mjs';

/**
 * @param {string} name
 * @param {{ name: string, leader: string, behind?: string[] }[]} streams
 */
const view = (name, streams, healthy = true) => ({
  name,
  runs: true,
  healthy,
  streams: streams.map((stream) => ({ behind: [], ...stream })),
});

/** @param {import('../src/cluster/nats-states.mjs').View[]} views */
const ready = (views) => statesOf(views).map((state) => state.ready);

test('servers without streams are ready once they are healthy', () => {
  assert.deepEqual(ready([view('a', []), view('b', [], false)]), [true, false]);
});

test('a server that the leader counts as behind is not ready, whatever it says itself', () => {
  const stream = { name: 's', leader: 'a' };
  const views = [view('a', [{ ...stream, behind: ['b'] }]), view('b', [stream])];
  assert.deepEqual(ready(views), [true, false]);
});

test('no server is ready while a stream has no leader that answers', () => {
  const [led, orphan] = [
    { name: 's', leader: 'a' },
    { name: 't', leader: 'gone' },
  ];
  assert.deepEqual(ready([view('a', [led, orphan]), view('b', [led, orphan])]), [false, false]);
});

test('each server shows the number of streams that it leads, of all', () => {
  const streams = ['s', 't', 'u'].map((name, index) => ({ name, leader: index === 0 ? 'a' : 'b' }));
  const states = statesOf([view('a', streams), view('b', streams)]);
  assert.deepEqual(
    states.map(({ leads, streams: all }) => [leads, all]),
    [
      [1, 3],
      [2, 3],
    ],
  );
});
