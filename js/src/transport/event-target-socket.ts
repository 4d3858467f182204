// Gives a socket that is not a WebSocket the events of one, to which the core listens.

import { CloseCode } from './close-codes.js';
import { detach } from './socket-base.js';
import type { Closed, Connect, Socket, Transport } from './socket.js';

/** The values of a WebSocket's `readyState`. */
const ReadyState = { Connecting: 0, Open: 1, Closed: 3 };

class EventTargetSocket extends EventTarget {
  readyState: number = ReadyState.Connecting;
  readonly #inner: Socket;

  constructor(inner: Socket, opened: (transport?: Transport) => void) {
    super();
    this.#inner = inner;
    inner.onopen = (transport) => {
      opened(transport);
      this.#dispatch(ReadyState.Open, 'open', {});
    };
    inner.onmessage = ({ data }) => this.#dispatch(this.readyState, 'message', { data });
    inner.onclose = (event) => this.#finish(event);
  }

  get binaryType(): string {
    return this.#inner.binaryType;
  }

  set binaryType(type: string) {
    this.#inner.binaryType = type;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#inner.send(bytes);
  }

  /** Closes the socket. As with a WebSocket, the listeners receive a `close` event. */
  close(code: number = CloseCode.Normal): void {
    this.#inner.close(code);
    queueMicrotask(() => this.#finish({ code }));
  }

  #finish({ code, failure }: Closed): void {
    if (this.readyState === ReadyState.Closed) return;
    detach(this.#inner);
    // A WebSocket that never opened dispatches `error` before `close`.
    if (this.readyState === ReadyState.Connecting) this.#dispatch(ReadyState.Closed, 'error', {});
    this.#dispatch(ReadyState.Closed, 'close', { code, reason: '', wasClean: true, failure });
  }

  #dispatch(state: number, type: string, properties: object): void {
    this.readyState = state;
    this.dispatchEvent(Object.assign(new Event(type), properties));
  }
}

/**
 * Returns a connect function whose sockets dispatch events. A WebSocket is returned as it is. `opened` receives the transport
 * of each other socket that opens.
 */
export const withEvents =
  (connect: Connect, opened: (transport?: Transport) => void = () => {}) =>
  (url: string, protocol: string): EventTarget => {
    const socket = connect(url, protocol);
    return socket instanceof EventTarget ? socket : new EventTargetSocket(socket, opened);
  };
