// Locks of one page, with the face of Web Locks: a frame that goes lets go of its own.

import { isGone, type Claim, type Page } from './page.js';

/** How often a frame that waits looks whether the holder was removed without a word. */
const LOOK_MS = 1_000;

interface LockOptions {
  ifAvailable?: boolean;
  signal?: AbortSignal;
}

type Granted = (lock: { name: string } | null) => unknown;

export class PageLocks {
  readonly #page: Page;
  readonly #owner: Document;

  constructor(page: Page, owner: Document) {
    this.#page = page;
    this.#owner = owner;
  }

  /** As `navigator.locks.request()`. */
  async request(name: string, ...given: [Granted] | [LockOptions, Granted]): Promise<unknown> {
    const granted = given.at(-1) as Granted;
    const { ifAvailable = false, signal } = given.length > 1 ? (given[0] as LockOptions) : {};
    // The callback never runs before this function returns.
    await null;
    signal?.throwIfAborted();
    this.#clear(name);
    if (ifAvailable && this.#page.locks.has(name)) return granted(null);
    const claim: Claim = { owner: this.#owner, granted: () => {} };
    await this.#turn(name, claim, signal);
    try {
      return await granted({ name });
    } finally {
      this.#leave(name, (other) => other === claim);
    }
  }

  /** Lets go of everything that this frame holds or waits for. */
  leave(): void {
    for (const name of [...this.#page.locks.keys()]) this.#leave(name, ({ owner }) => owner === this.#owner);
  }

  #turn(name: string, claim: Claim, signal: AbortSignal | undefined): Promise<void> {
    const queue = this.#page.locks.get(name) ?? [];
    this.#page.locks.set(name, queue);
    queue.push(claim);
    if (queue[0] === claim) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = setInterval(() => this.#clear(name), LOOK_MS);
      // In Node.js, where tests run, it keeps nothing alive.
      (look as { unref?: () => void }).unref?.();
      const aborted = () => {
        clearInterval(look);
        this.#leave(name, (other) => other === claim);
        reject(signal?.reason);
      };
      claim.granted = () => {
        clearInterval(look);
        signal?.removeEventListener('abort', aborted);
        resolve();
      };
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  #clear(name: string): void {
    this.#leave(name, isGone);
  }

  /** Takes claims out of a queue. Where the holder is one of them, the next one holds the lock. */
  #leave(name: string, leaves: (claim: Claim) => boolean): void {
    const queue = this.#page.locks.get(name);
    const holder = queue?.[0];
    if (!queue || !holder) return;
    const staying = queue.filter((claim) => !leaves(claim));
    queue.splice(0, queue.length, ...staying);
    if (staying.length === 0) this.#page.locks.delete(name);
    else if (staying[0] !== holder) staying[0]!.granted();
  }
}
