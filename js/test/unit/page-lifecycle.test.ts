import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { watchLifecycle } from '../../src/page/lifecycle.js';

class FakePage extends EventTarget {
  visibilityState = 'visible';

  show(state: string): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

const globals = globalThis as Record<string, unknown>;
let page: FakePage;
let frame: EventTarget;
let network: { onLine: boolean };
let heard: string[];
let unwatch: () => void;

const watch = () =>
  watchLifecycle({ pause: (reason) => heard.push(reason), wake: () => heard.push('awake') });
const transition = (name: string, persisted: boolean) =>
  frame.dispatchEvent(Object.assign(new Event(name), { persisted }));

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  [page, frame, network, heard] = [new FakePage(), new EventTarget(), { onLine: true }, []];
  globals['document'] = page;
  globals['window'] = frame;
  Object.defineProperty(globalThis, 'navigator', { value: network, configurable: true, writable: true });
  unwatch = watch();
});

afterEach(() => {
  unwatch();
  mock.timers.reset();
  delete globals['document'];
  delete globals['window'];
  delete globals['navigator'];
});

test('the client pauses when the network is lost and wakes when it returns', () => {
  frame.dispatchEvent(new Event('offline'));
  frame.dispatchEvent(new Event('online'));
  assert.deepEqual(heard, ['offline', 'awake']);
});

test('a page that is opened offline pauses at once', () => {
  network.onLine = false;
  const end = watch();
  assert.deepEqual(heard, ['offline']);
  end();
});

test('a page that is hidden for long pauses, and wakes when it is shown', () => {
  page.show('hidden');
  mock.timers.tick(5 * 60_000 - 1);
  assert.deepEqual(heard, []);
  mock.timers.tick(1);
  assert.deepEqual(heard, ['hidden']);
  page.show('visible');
  assert.deepEqual(heard, ['hidden', 'awake']);
});

test('a page that is shown again soon never pauses, and wakes nevertheless', () => {
  page.show('hidden');
  mock.timers.tick(60_000);
  page.show('visible');
  mock.timers.tick(3_600_000);
  assert.deepEqual(heard, ['awake']);
});

test('a page pauses when it is frozen or cached, and wakes when it is resumed or restored', () => {
  page.dispatchEvent(new Event('freeze'));
  page.dispatchEvent(new Event('resume'));
  transition('pagehide', true);
  transition('pageshow', true);
  assert.deepEqual(heard, ['frozen', 'awake', 'frozen', 'awake']);
  // The events of a page that is left for good, and of one that is opened, have no effect.
  transition('pagehide', false);
  transition('pageshow', false);
  assert.equal(heard.length, 4);
});

test('a page that is resumed without a network pauses', () => {
  page.dispatchEvent(new Event('freeze'));
  network.onLine = false;
  page.dispatchEvent(new Event('resume'));
  assert.deepEqual(heard, ['frozen', 'offline']);
});

test('no event has an effect after the end', () => {
  page.show('hidden');
  unwatch();
  mock.timers.tick(3_600_000);
  frame.dispatchEvent(new Event('offline'));
  page.dispatchEvent(new Event('freeze'));
  assert.deepEqual(heard, []);
});

/** Turns the fake page into the global scope of a worker. */
function becomeWorker(): void {
  delete globals['document'];
  delete globals['window'];
}

test('a worker with events of the network pauses and wakes with them', () => {
  const worker = new EventTarget();
  becomeWorker();
  globals['addEventListener'] = worker.addEventListener.bind(worker);
  globals['ononline'] = null;
  try {
    network.onLine = false;
    const end = watch();
    worker.dispatchEvent(new Event('online'));
    worker.dispatchEvent(new Event('offline'));
    end();
    worker.dispatchEvent(new Event('online'));
    assert.deepEqual(heard, ['offline', 'awake', 'offline']);
  } finally {
    delete globals['addEventListener'];
    delete globals['ononline'];
  }
});

test('a worker without events of the network, as in Chromium, looks for a change each second', () => {
  becomeWorker();
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const end = watch();
  mock.timers.tick(1_000);
  network.onLine = false;
  mock.timers.tick(3_000);
  network.onLine = true;
  mock.timers.tick(1_000);
  assert.deepEqual(heard, ['offline', 'awake']);
  end();
  network.onLine = false;
  mock.timers.tick(60_000);
  assert.equal(heard.length, 2);
});

test('in an environment that does not know its network, as Node.js, nothing is watched', () => {
  becomeWorker();
  Object.assign(network, { onLine: undefined });
  watch()();
  assert.deepEqual(heard, []);
});
