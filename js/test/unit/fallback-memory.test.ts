// The use of HTTP by a page whose tab used it before.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { network, settled } from '../support/fallback-network.js';

/** Returns a storage of the tab that counts its reads, until the test ends. */
function tabStorage(t: TestContext) {
  const storage = new Map<string, string>();
  const reads = { count: 0 };
  const sessionStorage = {
    getItem: (key: string) => ((reads.count += 1), storage.get(key) ?? null),
    setItem: (key: string, value: string) => void storage.set(key, value),
  };
  Object.defineProperty(globalThis, 'sessionStorage', { value: sessionStorage, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, 'sessionStorage'));
  return reads;
}

/** Lets a page of the tab use HTTP, because its WebSocket is refused. */
async function pageOverHttp() {
  const page = network();
  page.connect();
  page.last().onclose?.({ code: 1006 });
  await settled();
  page.last().onopen?.();
}

test('the next page of the same tab gives its WebSocket a tenth of a second if the last one used HTTP', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_700_000_000_000 });
  tabStorage(t);
  await pageOverHttp();
  const { connect, heard, kinds, last } = network();
  connect();
  const websocket = last();
  t.mock.timers.tick(99);
  await settled();
  assert.deepEqual(kinds(), ['websocket']);
  t.mock.timers.tick(1);
  await settled();
  last().onopen?.();
  assert.deepEqual([kinds(), heard, websocket.isClosed], [['websocket', 'http'], ['http'], true]);
  // The connection stays on HTTP, as it does after a refusal.
  t.mock.timers.tick(5 * 60_000);
  assert.deepEqual(heard, ['http']);
  connect();
  assert.deepEqual(heard, []);
  await settled();
  assert.deepEqual(kinds(), ['websocket', 'http', 'http']);
});

test('on such a page, a WebSocket that opens and receives nothing is closed, and the next attempt uses HTTP', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_700_000_000_000 });
  tabStorage(t);
  await pageOverHttp();
  const { connect, heard, kinds, last } = network();
  connect();
  t.mock.timers.tick(50);
  last().onopen?.();
  t.mock.timers.tick(100);
  assert.deepEqual(heard, ['websocket', 1006]);
  connect();
  await settled();
  assert.deepEqual(kinds(), ['websocket', 'http']);
});

test('a page whose WebSocket receives data at once does not read the storage', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_700_000_000_000 });
  const reads = tabStorage(t);
  await pageOverHttp();
  const { connect, kinds, last } = network();
  connect();
  last().onopen?.();
  last().onmessage?.({ data: 'welcome' });
  t.mock.timers.tick(60_000);
  await settled();
  assert.deepEqual([kinds(), reads.count], [['websocket'], 0]);
});

test('a slow WebSocket is kept if no page of the tab used HTTP', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_700_000_000_000 });
  const reads = tabStorage(t);
  const { connect, heard, kinds, last } = network();
  connect();
  t.mock.timers.tick(4_000);
  await settled();
  last().onopen?.();
  last().onmessage?.({ data: 'welcome' });
  assert.deepEqual([kinds(), heard, reads.count], [['websocket'], ['websocket', 'welcome'], 1]);
});
