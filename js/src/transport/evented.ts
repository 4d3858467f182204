// Gives a socket that is no WebSocket the events of one: the core listens to these.

import type { Closed, Connect, Socket, Transport } from './socket.js';

/** The code of an end that the core causes without one of its own. */
const NORMAL = 1000;

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
    inner.onclose = (event) => this.#over(event);
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

  /** As a WebSocket does, it tells its listeners of the end that they cause as well. */
  close(code: number = NORMAL): void {
    this.#inner.close(code);
    queueMicrotask(() => this.#over({ code }));
  }

  #over({ code, failure }: Closed): void {
    if (this.readyState === WebSocketState.Closed) return;
    const inner = this.#inner;
    inner.onopen = inner.onmessage = inner.onclose = null;
    // As a WebSocket that never opened.
    if (this.readyState === WebSocketState.Connecting) this.#tell(WebSocketState.Closed, 'error', {});
    this.#tell(WebSocketState.Closed, 'close', { code, reason: '', wasClean: true, failure });
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
