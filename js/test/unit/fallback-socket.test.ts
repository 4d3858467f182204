import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withFallback } from '../../src/transport/fallback-socket.js';
import type { Failure } from '../../src/transport/socket.js';
import { KindSocket, network, settled } from '../support/fallback-network.js';

test('if WebSockets have worked, a few failures do not lead to HTTP', async () => {
  const { connect, heard, kinds, last } = network();
  connect();
  last().onopen?.();
  last().onmessage?.({ data: 'welcome' });
  last().onclose?.({ code: 1006 });
  assert.deepEqual(heard, ['websocket', 'welcome', 1006]);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    connect();
    last().onclose?.({ code: 1006 });
    assert.deepEqual(heard, [1006]);
  }
  connect();
  last().onopen?.();
  last().onmessage?.({ data: 'welcome' });
  await settled();
  assert.deepEqual(kinds(), Array(4).fill('websocket'));
});

test('a refused WebSocket is followed by HTTP at once, which is used for a while', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const { connect, heard, kinds, last } = network();
  connect();
  last().onclose?.({ code: 1006 });
  await settled();
  last().onopen?.();
  last().onmessage?.({ data: 'welcome' });
  last().onclose?.({ code: 4401 });
  assert.deepEqual(heard, ['http', 'welcome', 4401]);
  connect();
  await settled();
  last().onopen?.();
  assert.deepEqual(kinds(), ['websocket', 'http', 'http']);
  t.mock.timers.tick(10 * 60_000);
  connect();
  assert.equal(last().kind, 'websocket');
});

test('a clock that was set back does not extend the use of HTTP', async (t) => {
  const now = 1_700_000_000_000;
  t.mock.timers.enable({ apis: ['Date'], now });
  const { connect, kinds, last } = network();
  connect();
  last().onclose?.({ code: 1006 });
  await settled();
  last().onopen?.();
  t.mock.timers.setTime(now - 3_600_000);
  connect();
  assert.deepEqual(kinds(), ['websocket', 'http', 'websocket']);
});

test('a WebSocket that does not open in time is replaced by HTTP', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const { connect, heard, kinds, last } = network();
  connect();
  const stuck = last();
  t.mock.timers.tick(5_000);
  await settled();
  last().onopen?.();
  assert.deepEqual([kinds(), heard, stuck.isClosed], [['websocket', 'http'], ['http'], true]);
});

test('a WebSocket that opens and receives nothing is closed, and the next attempt uses HTTP', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const { connect, heard, kinds, last } = network();
  connect();
  last().onopen?.();
  t.mock.timers.tick(5_000);
  assert.deepEqual(heard, ['websocket', 1006]);
  connect();
  await settled();
  assert.deepEqual(kinds(), ['websocket', 'http']);
});

test('if neither transport works, each attempt begins with a WebSocket', async () => {
  const { connect, heard, kinds, last } = network();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    connect();
    last().onclose?.({ code: 1006 });
    await settled();
    last().onclose?.({ code: 1006 });
    assert.deepEqual(heard, [1006]);
  }
  assert.deepEqual(kinds(), ['websocket', 'http', 'websocket', 'http', 'websocket', 'http']);
});

test('a socket that is closed during the fallback reports nothing more, and nothing stays open', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const { connect, heard, opened, last } = network();
  connect().close();
  t.mock.timers.tick(60_000);
  const second = connect();
  last().onclose?.({ code: 1006 });
  second.close();
  await settled();
  assert.deepEqual(heard, []);
  assert.ok(opened.filter(({ kind }) => kind === 'http').every(({ isClosed }) => isClosed));
  assert.ok(opened[0]!.isClosed);
});

test('one slow WebSocket leads to HTTP for at most two minutes', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  for (const slow of ['to open', 'to answer']) {
    const { connect, heard, kinds, last } = network();
    connect();
    if (slow === 'to answer') last().onopen?.();
    t.mock.timers.tick(5_000);
    if (slow === 'to answer') connect();
    await settled();
    last().onopen?.();
    last().onmessage?.({ data: 'welcome' });
    assert.deepEqual(kinds(), ['websocket', 'http']);
    // The connection returns to a WebSocket by itself, and so does another connection.
    heard.length = 0;
    t.mock.timers.tick(59_000);
    assert.deepEqual(heard, []);
    t.mock.timers.tick(61_000);
    assert.deepEqual([heard, last().isClosed], [[1001], true]);
    connect();
    last().onopen?.();
    last().onmessage?.({ data: 'welcome' });
    assert.equal(last().kind, 'websocket');
  }
});

test('two slow WebSockets in a row are attributed to the network, and HTTP is kept', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const { connect, heard, kinds, last } = network();
  for (let time = 0; time < 2; time += 1) {
    if (time > 0) last().onclose?.({ code: 1006 });
    connect();
    t.mock.timers.tick(5_000);
    await settled();
    last().onopen?.();
  }
  heard.length = 0;
  t.mock.timers.tick(5 * 60_000);
  assert.deepEqual(heard, []);
  connect();
  await settled();
  assert.deepEqual(kinds(), ['websocket', 'http', 'websocket', 'http', 'http']);
});

test('a WebSocket that is refused late counts as slow', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const { connect, kinds, last } = network();
  connect();
  t.mock.timers.tick(3_000);
  last().onclose?.({ code: 1006 });
  await settled();
  last().onopen?.();
  connect();
  assert.deepEqual(kinds(), ['websocket', 'http', 'websocket']);
});

test('an attempt with a short time limit leaves half of it for HTTP', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const { connect, heard, kinds, last } = network(1_000);
  const first = connect();
  t.mock.timers.tick(499);
  await settled();
  assert.deepEqual(kinds(), ['websocket']);
  t.mock.timers.tick(1);
  await settled();
  assert.deepEqual(kinds(), ['websocket', 'http']);
  // If half of the time was not enough, the next attempt has all of its time for HTTP.
  first.close();
  connect();
  await settled();
  last().onopen?.();
  assert.deepEqual([kinds(), heard], [['websocket', 'http', 'http'], ['http']]);
});

test('an environment without WebSocket uses HTTP at once', async () => {
  const opened: KindSocket[] = [];
  const connect = withFallback(
    {
      websocket: () => {
        throw new ReferenceError('WebSocket is not defined');
      },
      http: async () => () => (opened.push(new KindSocket('http')), opened.at(-1)!),
    },
    new Map(),
  );
  const heard: unknown[] = [];
  let failure: Failure | undefined;
  const open = () => {
    const socket = connect('wss://relay.example/v1/realtime', 'p');
    socket.onopen = (transport) => heard.push(transport);
    socket.onclose = (event) => (failure = event.failure);
  };
  open();
  await settled();
  opened[0]!.onclose?.({
    code: 1006,
    failure: { code: 'UNREACHABLE', message: 'https://relay.example is away' },
  });
  assert.deepEqual(failure, {
    code: 'UNREACHABLE',
    message: 'No connection to wss://relay.example: WebSocket is not defined; https://relay.example is away',
  });
  open();
  await settled();
  opened[1]!.onopen?.();
  assert.deepEqual(heard, ['http']);
});

test('the relay’s refusal over HTTP reaches the core', async () => {
  const { connect, failure, last } = network();
  connect();
  last().onclose?.({ code: 1006 });
  await settled();
  const refused = { code: 'TOO_MANY_CONNECTIONS', message: 'Too many.', retryAfterMs: 500 };
  last().onclose?.({ code: 1006, failure: refused });
  assert.deepEqual(failure(), refused);
});
