// The calls that wait for a connection: each has a deadline, and closing ends them all.

import type { CoreError } from '../core/core-error.js';

export class Calls {
  readonly #failing = new Set<(error: CoreError) => void>();

  get any(): boolean {
    return this.#failing.size > 0;
  }

  /** Runs `call` with a promise that rejects when it must give up. `why` is asked when it is late. */
  async run<T>(
    timeoutMs: number,
    why: () => CoreError,
    call: (failed: Promise<never>) => Promise<T>,
  ): Promise<T> {
    let fail: (error: CoreError) => void = () => {};
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => {});
    this.#failing.add(fail);
    // A test that waits for a call keeps Node running.
    const timer = setTimeout(() => fail(why()), timeoutMs);
    try {
      return await call(failed);
    } finally {
      clearTimeout(timer);
      this.#failing.delete(fail);
    }
  }

  failAll(error: CoreError): void {
    for (const fail of this.#failing) fail(error);
  }
}
