// The socket of a core on a page with sharing: a slot on the page's WebSocket, or a direct connection if it gets none.

import { CloseCode } from '../transport/close-codes.js';
import { SocketBase } from '../transport/socket-base.js';
import type { Socket } from '../transport/socket.js';
import { FollowerSocket } from './follower-socket.js';

/** The source of slots on the page's WebSocket. */
export interface SlotSource {
  /** True if this frame leads; undefined until it is known. */
  readonly leads: boolean | undefined;
  /** Takes a slot on the WebSocket of this frame, which leads. */
  takeSlot(): Socket;
  /** Requests a slot on the WebSocket of the leader. `refused` is called if no leader grants one. */
  follow(refused: () => void): FollowerSocket;
  /** Repeats a request for a slot. */
  requestSlot(name: string): void;
  /** Forgets a socket that is over or connects alone. */
  remove(socket: SharedSocket): void;
}

export class SharedSocket extends SocketBase {
  isShared = true;
  readonly #source: SlotSource;
  readonly #connectDirectly: () => Socket;
  #inner: Socket | undefined;

  constructor(source: SlotSource, connectDirectly: () => Socket) {
    super();
    this.#source = source;
    this.#connectDirectly = connectDirectly;
  }

  /** Takes or requests a slot, once it is known which frame leads. */
  connect(): void {
    if (this.isOver || this.#inner) return;
    if (this.#source.leads) this.#use(() => this.#source.takeSlot());
    else this.#use(() => this.#source.follow(() => this.connectAlone()));
  }

  /** Ends a slot on the former leader. A request that is pending goes to the new one. */
  leaderChanged(): void {
    const inner = this.#inner;
    if (!(inner instanceof FollowerSocket)) return;
    if (!inner.isRequesting) return inner.lost();
    if (!this.#source.leads) return this.#source.requestSlot(inner.name);
    inner.close();
    this.#inner = undefined;
    this.connect();
  }

  /** Ends the socket, since this frame is frozen or left and has lost its slot. */
  shareEnded(): void {
    this.#inner?.close();
    this.finish({ code: CloseCode.Lost });
  }

  /** Connects without sharing. */
  connectAlone(): void {
    if (this.isOver) return;
    this.isShared = false;
    this.#source.remove(this);
    this.#use(this.#connectDirectly);
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#inner?.send(bytes);
  }

  close(code?: number): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#inner?.close(code);
    this.#source.remove(this);
  }

  protected override release(): void {
    this.#source.remove(this);
  }

  #use(open: () => Socket): void {
    let inner: Socket;
    try {
      inner = open();
    } catch {
      // The page's policy forbids the connection.
      return this.finish({ code: CloseCode.Lost });
    }
    this.#inner = inner;
    this.forward(inner, { closed: (event) => this.finish(event) });
  }
}
