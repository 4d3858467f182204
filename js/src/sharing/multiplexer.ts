// Several sessions on one WebSocket. Each has a place that looks like a socket of its own.

import type { Closed, Connect, Socket, Transport } from '../transport/socket.js';
import { divide, encodeEnd, encodeSession } from './wire.js';
import { monotonicMs } from '../monotonic.js';

/** As many sessions as a relay takes on one connection. */
export const MAX_SESSIONS = 32;

const LOST = 1006;
/** A session that the relay left without an answer closes its place with this code. */
const TIMED_OUT = 4408;
/** A socket that brought nothing for so long, and left a session without an answer, is dead for all of them. */
const SILENT_MS = 3_000;

export class Multiplexer {
  readonly #connect: () => Socket;
  readonly #emptied: () => void;
  readonly #places = new Map<number, Place>();
  #socket: Socket | undefined;
  #isOpen = false;
  #transport: Transport | undefined;
  #next = 0;
  /** The moment at which the socket opened, or brought something last. */
  #heardAt = 0;
  /** The sessions that each direction has turned to. */
  #sending = 0;
  #receiving = 0;

  /** `emptied` is called when the last place was given up. */
  constructor(connect: Connect, url: string, protocol: string, emptied: () => void) {
    this.#connect = () => connect(url, protocol);
    this.#emptied = emptied;
  }

  get isUsed(): boolean {
    return this.#places.size > 0;
  }

  get isFull(): boolean {
    return this.#places.size >= MAX_SESSIONS;
  }

  /** A place for another session. Throws where the page may not open the socket. */
  place(): Socket {
    this.#socket ??= this.#open();
    const place = new Place(this, this.#next);
    this.#places.set(this.#next, place);
    this.#next += 1;
    if (this.#isOpen) queueMicrotask(() => place.onopen?.(this.#transport));
    return place;
  }

  send(number: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#isOpen || !this.#places.has(number)) return;
    this.#turn(number);
    this.#socket?.send(bytes);
  }

  /** Gives a place up; the socket goes with the last one, or where it is dead. */
  leave(number: number, code?: number): void {
    if (!this.#places.delete(number)) return;
    if (this.#places.size === 0) return this.shut(1000);
    if (!this.#isOpen) return;
    if (code === TIMED_OUT && monotonicMs() - this.#heardAt >= SILENT_MS) return this.shut(TIMED_OUT);
    this.#turn(number);
    this.#socket?.send(encodeEnd());
  }

  /** Closes the socket, and with it every place. */
  shut(code?: number): void {
    const socket = this.#socket;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(code);
    }
    this.#lost({ code: LOST });
  }

  #open(): Socket {
    const socket = this.#connect();
    socket.binaryType = 'arraybuffer';
    this.#next = this.#sending = this.#receiving = 0;
    socket.onopen = (transport) => {
      this.#isOpen = true;
      this.#heardAt = monotonicMs();
      this.#transport = transport;
      for (const place of [...this.#places.values()]) place.onopen?.(transport);
    };
    socket.onmessage = (event) => this.#received(event);
    socket.onclose = (event) => this.#lost(event);
    return socket;
  }

  #turn(number: number): void {
    if (this.#sending === number) return;
    this.#sending = number;
    this.#socket?.send(encodeSession(number));
  }

  #received(event: { data: unknown }): void {
    this.#heardAt = monotonicMs();
    const parts = event.data instanceof ArrayBuffer ? divide(event.data) : [event.data];
    for (const part of parts) {
      if (typeof part === 'number') this.#receiving = part;
      else this.#places.get(this.#receiving)?.onmessage?.({ data: part });
    }
  }

  #lost(event: Closed): void {
    const places = [...this.#places.values()];
    this.#places.clear();
    this.#socket = undefined;
    this.#isOpen = false;
    for (const place of places) place.onclose?.(event);
    if (this.#places.size === 0) this.#emptied();
  }
}

class Place implements Socket {
  binaryType = 'arraybuffer';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #multiplexer: Multiplexer;
  readonly #number: number;

  constructor(multiplexer: Multiplexer, number: number) {
    this.#multiplexer = multiplexer;
    this.#number = number;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#multiplexer.send(this.#number, bytes);
  }

  close(code?: number): void {
    this.onopen = this.onmessage = this.onclose = null;
    this.#multiplexer.leave(this.#number, code);
  }
}
