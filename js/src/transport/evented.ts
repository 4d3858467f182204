// Gives a socket that is no WebSocket the events of one: the core listens to these.

import type { Connect, Socket, Transport } from './socket.js';

class EventedSocket extends EventTarget {
  readyState: number = WebSocketState.Connecting;
  readonly #inner: Socket;

  constructor(inner: Socket, opened: (transport?: Transport) => void) {
    super();
    this.#inner = inner;
    inner.onopen = (transport) => {
      opened(transport);
      this.#tell(WebSocketState.Open, 'open', {});
    };
    inner.onmessage = ({ data }) => this.#tell(this.readyState, 'message', { data });
    inner.onclose = ({ code }) => {
      // As a WebSocket that never opened: who waits for it to open hears of that only by this.
      if (this.readyState === WebSocketState.Connecting) this.#tell(WebSocketState.Closed, 'error', {});
      this.#tell(WebSocketState.Closed, 'close', { code, reason: '', wasClean: true });
    };
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

  close(code?: number): void {
    this.#inner.close(code);
  }

  #tell(state: number, type: string, properties: object): void {
    this.readyState = state;
    this.dispatchEvent(Object.assign(new Event(type), properties));
  }
}

const WebSocketState = { Connecting: 0, Open: 1, Closed: 3 };

/** A WebSocket stays itself. `opened` is told what a socket that opens goes over. */
export const evented =
  (connect: Connect, opened: (transport?: Transport) => void = () => {}) =>
  (url: string, protocol: string): EventTarget => {
    const socket = connect(url, protocol);
    return socket instanceof EventTarget ? socket : new EventedSocket(socket, opened);
  };
