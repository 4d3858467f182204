// Shows what goes over a socket, by kind and size and never by content. Only there where an app asked for it.

import { messagesIn } from './batch.js';
import { frameName, type Direction } from './frame-names.js';
import type { Closed, Connect, Socket, Transport } from './socket.js';

/** Something that happened on the connection. Holds no payload, name, token or key. */
export type DebugEvent =
  | { type: 'frame'; direction: Direction; frame: string; bytes: number }
  | { type: 'socket'; event: 'connecting' | 'open' | 'closed'; transport?: Transport; code?: number }
  | { type: 'session'; reason: string }
  | { type: 'token' }
  | { type: 'state'; state: string; code?: string };

export type DebugListener = (event: DebugEvent) => void;

/** The code of an end that the core causes without one of its own. */
const NORMAL = 1000;

class DebuggedSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #inner: Socket;
  readonly #tell: DebugListener;
  #isOver = false;

  constructor(inner: Socket, tell: DebugListener) {
    this.#inner = inner;
    this.#tell = tell;
    inner.onopen = (transport) => {
      tell({ type: 'socket', event: 'open', ...(transport && { transport }) });
      this.onopen?.(transport);
    };
    inner.onmessage = (event) => {
      if (event.data instanceof ArrayBuffer) this.#received(new Uint8Array(event.data));
      this.onmessage?.(event);
    };
    inner.onclose = (event) => this.#over(event);
  }

  get binaryType(): string {
    return this.#inner.binaryType;
  }

  set binaryType(type: string) {
    this.#inner.binaryType = type;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#frame('sent', bytes);
    this.#inner.send(bytes);
  }

  close(code: number = NORMAL): void {
    this.#inner.close(code);
    queueMicrotask(() => this.#over({ code }));
  }

  #over(event: Closed): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell({ type: 'socket', event: 'closed', code: event.code });
    this.onclose?.(event);
  }

  #received(bytes: Uint8Array<ArrayBuffer>): void {
    for (const { message, end } of messagesIn(bytes)) this.#frame('received', bytes.subarray(message, end));
  }

  #frame(direction: Direction, frame: Uint8Array): void {
    this.#tell({ type: 'frame', direction, frame: frameName(direction, frame), bytes: frame.length });
  }
}

export function debugged(connect: Connect, tell: DebugListener): Connect {
  return (url, protocol) => {
    tell({ type: 'socket', event: 'connecting' });
    return new DebuggedSocket(connect(url, protocol), tell);
  };
}
