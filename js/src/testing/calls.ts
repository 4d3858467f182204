// The calls that wait for a connection: each ends at its limit, where it has one, when it is withdrawn, or with the client.

import type { CoreError } from '../core/core-error.js';

const LONGEST_TIMER_MS = 0x7fffffff;

export class Calls {
  /** By the number of the call. */
  readonly #failing = new Map<number, (error: CoreError) => void>();

  get any(): boolean {
    return this.#failing.size > 0;
  }

  /** Runs `call` with a promise that rejects when it must give up. `why` is asked when it is late. */
  async run<T>(
    number: number,
    timeoutMs: number | undefined,
    why: () => CoreError,
    call: (failed: Promise<never>) => Promise<T>,
  ): Promise<T> {
    let fail: (error: CoreError) => void = () => {};
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => {});
    this.#failing.set(number, fail);
    // A test that waits for a call keeps Node running, also where the call has no limit.
    const timer = setTimeout(() => fail(why()), timeoutMs ?? LONGEST_TIMER_MS);
    try {
      return await call(failed);
    } finally {
      clearTimeout(timer);
      this.#failing.delete(number);
    }
  }

  fail(number: number, error: CoreError): void {
    this.#failing.get(number)?.(error);
  }

  failAll(error: CoreError): void {
    for (const fail of this.#failing.values()) fail(error);
  }
}
