// The base of the sockets that this package implements: the event handlers, forwarding from an inner socket, and the rule
// that a socket ends once.

import type { Closed, Socket, Transport } from './socket.js';

/** The functions that a wrapper runs before it forwards an event of its inner socket. */
export interface Interceptors {
  opened?(transport: Transport | undefined): void;
  received?(data: unknown): void;
  /** Replaces the forwarding of the end: the wrapper decides whether it ends, too. */
  closed(event: Closed): void;
}

export abstract class SocketBase implements Socket {
  binaryType = 'arraybuffer';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  /** No event follows once this is true. */
  protected isOver = false;

  abstract send(bytes: Uint8Array<ArrayBuffer>): void;

  abstract close(code?: number): void;

  /** Forwards the events of an inner socket. `transport` replaces the one that the inner socket reports. */
  protected forward(inner: Socket, { opened, received, closed }: Interceptors, transport?: Transport): void {
    inner.binaryType = this.binaryType;
    inner.onopen = (reported) => {
      opened?.(transport ?? reported);
      this.onopen?.(transport ?? reported);
    };
    inner.onmessage = (event) => {
      received?.(event.data);
      this.onmessage?.(event);
    };
    inner.onclose = closed;
  }

  /** Ends the socket and reports the end, unless it is over. */
  protected finish(event: Closed): void {
    if (this.isOver) return;
    this.isOver = true;
    this.release(event);
    this.onclose?.(event);
  }

  /** Frees the socket's resources, before its end is reported. */
  protected release(_event: Closed): void {}
}

/** Removes the handlers of a socket, whose later events are of no interest. */
export function detach(socket: Socket): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
}
