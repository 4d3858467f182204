// The socket of a frame that follows: it passes frames to the leader, which holds the page's WebSocket.

import { CloseCode } from '../transport/close-codes.js';
import { SocketBase } from '../transport/socket-base.js';
import type { Browser, Channel, ToFollower, ToLeader } from './messages.js';

/** The time for a leader to answer a request for a slot; it may be stalled or gone. */
const ANSWER_TIMEOUT_MS = 1_500;
/** The time that the lock outlives the slot, so that the leader receives the `close` message first. */
const LOCK_LINGER_MS = 100;

export class FollowerSocket extends SocketBase {
  readonly #name: string;
  readonly #channel: Channel;
  readonly #refused: () => void;
  #hasSlot = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Releases the lock of this name, for which the leader waits. A held lock means that the follower is alive. */
  #releaseLock: () => void = () => {};

  /** `request` asks the leader for a slot under a name. `refused` is called if no leader grants one. */
  constructor(browser: Browser, request: (name: string) => void, refused: () => void) {
    super();
    this.#name = browser.newName();
    this.#refused = refused;
    this.#channel = browser.channel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#received(data as ToFollower);
    this.#timer = setTimeout(() => this.#refuse(), ANSWER_TIMEOUT_MS);
    const held = new Promise<void>((resolve) => (this.#releaseLock = resolve));
    browser.locks
      .request(this.#name, () => {
        if (this.isRequesting) request(this.#name);
        return held;
      })
      .catch(() => this.#refuse());
  }

  get name(): string {
    return this.#name;
  }

  /** True until the leader has answered. */
  get isRequesting(): boolean {
    return !this.#hasSlot && !this.isOver;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#hasSlot || this.isOver) return;
    const data = bytes.slice().buffer;
    this.#channel.postMessage({ type: 'frame', data } satisfies ToLeader);
  }

  close(code?: number): void {
    if (!this.#hasSlot || this.isOver) return this.#end();
    this.#channel.postMessage({ type: 'close', code } satisfies ToLeader);
    // The message carries the code, which the release of the lock alone would not.
    this.#end(LOCK_LINGER_MS);
  }

  /** Ends the socket because the leader is gone. */
  lost(): void {
    this.finish({ code: CloseCode.Lost });
  }

  protected override release(): void {
    this.#end();
  }

  #received(message: ToFollower): void {
    switch (message.type) {
      case 'taken':
        clearTimeout(this.#timer);
        this.#hasSlot = true;
        break;
      case 'full':
        return this.#refuse();
      case 'open':
        return this.onopen?.(message.transport);
      case 'frame':
        return this.onmessage?.({ data: message.data });
      case 'closed':
        return this.finish({ code: message.code, failure: message.failure });
    }
  }

  #refuse(): void {
    if (!this.isRequesting) return;
    this.#end();
    this.#refused();
  }

  #end(lingerMs = 0): void {
    clearTimeout(this.#timer);
    this.isOver = true;
    this.#channel.close();
    if (lingerMs > 0) setTimeout(this.#releaseLock, lingerMs);
    else this.#releaseLock();
  }
}
