// Reports the traffic of a socket to the option onDebug, by kind and size and never by content.

import { messagesIn } from './batch.js';
import { CloseCode } from './close-codes.js';
import { frameName, type Direction } from './frame-names.js';
import { SocketBase } from './socket-base.js';
import type { Closed, Connect, Socket, Transport } from './socket.js';

/**
 * An event of the connection: a frame, a socket that opens or closes, a request for a session or a token, or a new state.
 * It contains no payload, name, token or key.
 */
export type DebugEvent =
  | { type: 'frame'; direction: 'sent' | 'received'; frame: string; bytes: number }
  | { type: 'socket'; event: 'connecting' | 'open' | 'closed'; transport?: Transport; code?: number }
  | { type: 'session'; reason: string }
  | { type: 'token' }
  | { type: 'state'; state: string; code?: string };

/** Receives the events of the connection. An exception in it has no effect on the connection. */
export type DebugListener = (event: DebugEvent) => void;

class DebugSocket extends SocketBase {
  readonly #inner: Socket;
  readonly #report: DebugListener;

  constructor(inner: Socket, report: DebugListener) {
    super();
    this.#inner = inner;
    this.#report = report;
    this.forward(inner, {
      opened: (transport) => report({ type: 'socket', event: 'open', ...(transport && { transport }) }),
      received: (data) => {
        if (data instanceof ArrayBuffer) this.#reportMessages(new Uint8Array(data));
      },
      closed: (event) => this.finish(event),
    });
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#reportFrame('sent', bytes);
    this.#inner.send(bytes);
  }

  close(code: number = CloseCode.Normal): void {
    this.#inner.close(code);
    queueMicrotask(() => this.finish({ code }));
  }

  protected override release({ code }: Closed): void {
    this.#report({ type: 'socket', event: 'closed', code });
  }

  #reportMessages(bytes: Uint8Array<ArrayBuffer>): void {
    for (const { message, end } of messagesIn(bytes))
      this.#reportFrame('received', bytes.subarray(message, end));
  }

  #reportFrame(direction: Direction, frame: Uint8Array): void {
    this.#report({ type: 'frame', direction, frame: frameName(direction, frame), bytes: frame.length });
  }
}

/** Returns a connect function whose sockets report their traffic. */
export function withDebug(connect: Connect, report: DebugListener): Connect {
  return (url, protocol) => {
    report({ type: 'socket', event: 'connecting' });
    return new DebugSocket(connect(url, protocol), report);
  };
}
