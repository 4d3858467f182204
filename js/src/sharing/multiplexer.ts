// Several sessions on one WebSocket. Each session has a slot, which has the interface of a socket.

import { monotonicMs } from '../monotonic.js';
import { CloseCode } from '../transport/close-codes.js';
import { detach, SocketBase } from '../transport/socket-base.js';
import type { Closed, Connect, Socket, Transport } from '../transport/socket.js';
import { divide, encodeEnd, encodeSession } from './wire.js';

/** The number of sessions that a relay accepts on one connection. */
export const MAX_SESSIONS = 32;

/** A socket that received nothing for this long when a session times out is considered dead for all sessions. */
const SILENCE_MS = 3_000;

export class Multiplexer {
  readonly #connect: () => Socket;
  readonly #emptied: () => void;
  readonly #slots = new Map<number, SessionSlot>();
  #socket: Socket | undefined;
  #isOpen = false;
  #transport: Transport | undefined;
  #nextNumber = 0;
  /** The time at which the socket opened or last received data. */
  #lastReceivedAt = 0;
  /** The current session of each direction. */
  #sending = 0;
  #receiving = 0;

  /** `emptied` is called when the last slot is released. */
  constructor(connect: Connect, url: string, protocol: string, emptied: () => void) {
    this.#connect = () => connect(url, protocol);
    this.#emptied = emptied;
  }

  get isUsed(): boolean {
    return this.#slots.size > 0;
  }

  get isFull(): boolean {
    return this.#slots.size >= MAX_SESSIONS;
  }

  /** Returns a slot for another session. Throws if the page may not open the socket. */
  takeSlot(): Socket {
    this.#socket ??= this.#open();
    const slot = new SessionSlot(this, this.#nextNumber);
    this.#slots.set(this.#nextNumber, slot);
    this.#nextNumber += 1;
    if (this.#isOpen) queueMicrotask(() => slot.onopen?.(this.#transport));
    return slot;
  }

  send(number: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#isOpen || !this.#slots.has(number)) return;
    this.#select(number);
    this.#socket?.send(bytes);
  }

  /** Releases a slot. The socket closes with the last slot, or if it is dead. */
  releaseSlot(number: number, code?: number): void {
    if (!this.#slots.delete(number)) return;
    if (this.#slots.size === 0) return this.shut(CloseCode.Normal);
    if (!this.#isOpen) return;
    const isSilent = monotonicMs() - this.#lastReceivedAt >= SILENCE_MS;
    if (code === CloseCode.TimedOut && isSilent) return this.shut(CloseCode.TimedOut);
    this.#select(number);
    this.#socket?.send(encodeEnd());
  }

  /** Closes the socket and every slot. */
  shut(code?: number): void {
    const socket = this.#socket;
    if (socket) {
      detach(socket);
      socket.close(code);
    }
    this.#closed({ code: CloseCode.Lost });
  }

  #open(): Socket {
    const socket = this.#connect();
    socket.binaryType = 'arraybuffer';
    this.#nextNumber = this.#sending = this.#receiving = 0;
    socket.onopen = (transport) => {
      this.#isOpen = true;
      this.#lastReceivedAt = monotonicMs();
      this.#transport = transport;
      for (const slot of [...this.#slots.values()]) slot.onopen?.(transport);
    };
    socket.onmessage = (event) => this.#received(event);
    socket.onclose = (event) => this.#closed(event);
    return socket;
  }

  /** Selects the session of the messages that follow. */
  #select(number: number): void {
    if (this.#sending === number) return;
    this.#sending = number;
    this.#socket?.send(encodeSession(number));
  }

  #received(event: { data: unknown }): void {
    this.#lastReceivedAt = monotonicMs();
    const parts = event.data instanceof ArrayBuffer ? divide(event.data) : [event.data];
    for (const part of parts) {
      if (typeof part === 'number') this.#receiving = part;
      else this.#slots.get(this.#receiving)?.onmessage?.({ data: part });
    }
  }

  #closed(event: Closed): void {
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    this.#socket = undefined;
    this.#isOpen = false;
    for (const slot of slots) slot.onclose?.(event);
    if (this.#slots.size === 0) this.#emptied();
  }
}

class SessionSlot extends SocketBase {
  readonly #multiplexer: Multiplexer;
  readonly #number: number;

  constructor(multiplexer: Multiplexer, number: number) {
    super();
    this.#multiplexer = multiplexer;
    this.#number = number;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#multiplexer.send(this.#number, bytes);
  }

  close(code?: number): void {
    detach(this);
    this.#multiplexer.releaseSlot(this.#number, code);
  }
}
