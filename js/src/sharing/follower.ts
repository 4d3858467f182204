// A frame's place on the socket of the page's leader. It looks like a socket.

import type { Closed, Socket } from '../transport/socket.js';
import type { Browser, Channel, ToFollower, ToLeader } from './messages.js';

/** How long a leader may take to answer; it may hang, or be gone. */
const ANSWER_MS = 1_500;
const LOST = 1006;
/** The lock outlives a place that was given up by so much, so that the message about it arrives first. */
const HELD_MS = 100;

type Stage = 'asking' | 'taken' | 'over';

export class FollowedSocket implements Socket {
  binaryType = 'arraybuffer';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #name: string;
  readonly #channel: Channel;
  readonly #refused: () => void;
  #stage: Stage = 'asking';
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** Its holder is alive: the leader waits for the lock of this name. */
  #letGo: () => void = () => {};

  /** `ask` tells the leader of the place by its name; `refused` is called where there is no leader that takes it. */
  constructor(browser: Browser, ask: (name: string) => void, refused: () => void) {
    this.#name = browser.newName();
    this.#refused = refused;
    this.#channel = browser.channel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#told(data as ToFollower);
    this.#patience = setTimeout(() => this.#refuse(), ANSWER_MS);
    const held = new Promise<void>((resolve) => (this.#letGo = resolve));
    browser.locks
      .request(this.#name, () => {
        if (this.#stage === 'asking') ask(this.#name);
        return held;
      })
      .catch(() => this.#refuse());
  }

  get name(): string {
    return this.#name;
  }

  /** The leader has not answered. */
  get isAsking(): boolean {
    return this.#stage === 'asking';
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#stage !== 'taken') return;
    const data = bytes.slice().buffer;
    this.#channel.postMessage({ type: 'frame', data } satisfies ToLeader);
  }

  close(code?: number): void {
    if (this.#stage !== 'taken') return this.#end();
    this.#channel.postMessage({ type: 'close', code } satisfies ToLeader);
    // The leader must not learn from the lock alone that this place is given up: the code says why.
    this.#end(HELD_MS);
  }

  /** The leader is gone. */
  lost(): void {
    this.#closed({ code: LOST });
  }

  #told(message: ToFollower): void {
    switch (message.type) {
      case 'taken':
        clearTimeout(this.#patience);
        this.#stage = 'taken';
        break;
      case 'full':
        return this.#refuse();
      case 'open':
        return this.onopen?.(message.transport);
      case 'frame':
        return this.onmessage?.({ data: message.data });
      case 'closed':
        return this.#closed({ code: message.code, failure: message.failure });
    }
  }

  #refuse(): void {
    if (this.#stage !== 'asking') return;
    this.#end();
    this.#refused();
  }

  #closed(event: Closed): void {
    if (this.#stage === 'over') return;
    this.#end();
    this.onclose?.(event);
  }

  #end(heldMs = 0): void {
    clearTimeout(this.#patience);
    this.#stage = 'over';
    this.#channel.close();
    if (heldMs > 0) setTimeout(this.#letGo, heldMs);
    else this.#letGo();
  }
}
