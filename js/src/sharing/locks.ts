// Locks between the frames of one page, with the interface of Web Locks. A frame that leaves releases its locks.

import { isGone, type Claim, type Page } from './page.js';

/** The interval at which a waiting frame checks whether the holder was removed without an event. */
const CHECK_INTERVAL_MS = 1_000;

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

  /** Requests a lock, as `navigator.locks.request()` does. */
  async request(name: string, ...given: [Granted] | [LockOptions, Granted]): Promise<unknown> {
    const granted = given.at(-1) as Granted;
    const { ifAvailable = false, signal } = given.length > 1 ? (given[0] as LockOptions) : {};
    // As with Web Locks, the callback never runs before this function returns.
    await null;
    signal?.throwIfAborted();
    this.#removeGone(name);
    if (ifAvailable && this.#page.locks.has(name)) return granted(null);
    const claim: Claim = { owner: this.#owner, granted: () => {} };
    await this.#acquire(name, claim, signal);
    try {
      return await granted({ name });
    } finally {
      this.#remove(name, (other) => other === claim);
    }
  }

  /** Releases every lock that this frame holds, and withdraws its requests. */
  releaseAll(): void {
    for (const name of [...this.#page.locks.keys()]) this.#remove(name, ({ owner }) => owner === this.#owner);
  }

  #acquire(name: string, claim: Claim, signal: AbortSignal | undefined): Promise<void> {
    const queue = this.#page.locks.get(name) ?? [];
    this.#page.locks.set(name, queue);
    queue.push(claim);
    if (queue[0] === claim) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const interval = setInterval(() => this.#removeGone(name), CHECK_INTERVAL_MS);
      // In Node.js, where tests run, the interval must not keep the process alive.
      (interval as { unref?: () => void }).unref?.();
      const aborted = () => {
        clearInterval(interval);
        this.#remove(name, (other) => other === claim);
        reject(signal?.reason);
      };
      claim.granted = () => {
        clearInterval(interval);
        signal?.removeEventListener('abort', aborted);
        resolve();
      };
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  #removeGone(name: string): void {
    this.#remove(name, isGone);
  }

  /** Removes claims from a queue. If the holder is one of them, the lock is granted to the next claim. */
  #remove(name: string, leaves: (claim: Claim) => boolean): void {
    const queue = this.#page.locks.get(name);
    const holder = queue?.[0];
    if (!queue || !holder) return;
    const staying = queue.filter((claim) => !leaves(claim));
    queue.splice(0, queue.length, ...staying);
    if (staying.length === 0) this.#page.locks.delete(name);
    else if (staying[0] !== holder) staying[0]!.granted();
  }
}
