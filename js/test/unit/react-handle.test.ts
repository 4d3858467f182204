import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SealwireError, type RealtimeEvent } from '../../src/index.js';
import { handle } from '../../src/react/handle.js';
import { channelKey } from '../../src/react/subscription-key.js';

const event = { channel: 'n' } as RealtimeEvent;
const gap = new SealwireError('GAP', 'Some were missed.');
const ended = new SealwireError('TOKEN_EXPIRED', 'It is over.');

/** Returns the arguments of a handler's calls for a message, a gap and an end. */
function heard(handler: (log: unknown[]) => unknown, options: (log: unknown[]) => object = () => ({})) {
  const log: unknown[] = [];
  const handling = { handler: handler(log) as never, options: options(log) };
  const to = { channel: 'n', unheard: new Set<string>() };
  handle(handling, to, 'one', undefined, event);
  handle(handling, to, undefined, gap);
  handle(handling, to, undefined, ended);
  return log;
}

test('a function with two parameters receives messages and errors, and one with one parameter messages only', () => {
  const two = heard((log) => (payload: unknown, error: unknown) => log.push(error ?? payload));
  assert.deepEqual(two, ['one', gap, ended]);
  const one = heard((log) => (payload: unknown) => log.push(payload));
  assert.deepEqual(one, ['one']);
});

test('gaps and errors go to the separate functions of the handler or of the options', () => {
  const functions = (log: unknown[]) => ({
    onError: (error: SealwireError) => log.push(`error ${error.code}`),
    onGap: (error: SealwireError) => log.push(`gap ${error.code}`),
  });
  const handlers = heard((log) => ({
    ...functions(log),
    onMessage: (payload: unknown, { channel }: RealtimeEvent) => log.push([payload, channel]),
  }));
  assert.deepEqual(handlers, [['one', 'n'], 'gap GAP', 'error TOKEN_EXPIRED']);
  const beside = heard((log) => (payload: unknown) => log.push(payload), functions);
  assert.deepEqual(beside, ['one', 'gap GAP', 'error TOKEN_EXPIRED']);
});

test('calls with equal names, scopes and claims have the same key', () => {
  const jwt = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s~k.v`;
  const blue = jwt({ tag: 'blue', exp: 1 });
  const key = channelKey('n', { token: blue, contextOverrides: ['issue', 'project'] });
  const same = channelKey('n', {
    token: jwt({ tag: 'blue', exp: 2 }),
    contextOverrides: ['project', 'issue'],
  });
  assert.equal(same, key);
  const others = [
    channelKey('m', {}),
    channelKey('n', {}),
    channelKey('n', { global: true }),
    channelKey('n', { contextOverrides: [] }),
    channelKey('n', { token: blue }),
    channelKey('n', { token: jwt({ tag: 'red' }) }),
    channelKey('n', { token: () => blue }),
    channelKey('n', { token: 'no token' }),
    channelKey('n', { token: 'no other token' }),
    channelKey('n', {}, 30),
  ];
  assert.equal(new Set([key, ...others]).size, others.length + 1);
});
