import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { connectDirectly } from '../../src/transport/socket.js';

class FakeWebSocket extends EventTarget {
  static last: FakeWebSocket;
  readyState = 0;
  onclose: ((event: Event) => void) | null = null;

  constructor() {
    super();
    FakeWebSocket.last = this;
    this.addEventListener('close', (event) => this.onclose?.(event));
  }

  close(): void {
    this.readyState = 2;
  }
}

const real = globalThis.WebSocket;
afterEach(() => {
  globalThis.WebSocket = real;
});

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

test('an error of a WebSocket counts as its end, even without a close event', async () => {
  globalThis.WebSocket = FakeWebSocket as never;
  for (const closes of [false, true]) {
    const codes: unknown[] = [];
    connectDirectly('wss://relay.example/v1/realtime', 'p').onclose = ({ code }) => codes.push(code);
    FakeWebSocket.last.dispatchEvent(new Event('error'));
    if (closes) FakeWebSocket.last.dispatchEvent(Object.assign(new Event('close'), { code: 1006 }));
    await turn();
    assert.deepEqual(codes, [1006]);
  }
});
