// The calls that wait for a connection. Each ends at its time limit, when it is withdrawn, or when the client closes.

import type { CoreError } from '../errors/core-error.js';

/** The maximum delay of a timer. */
const MAX_TIMER_MS = 0x7fffffff;

export class PendingCalls {
  /** Rejects a call, by its number. */
  readonly #rejects = new Map<number, (error: CoreError) => void>();

  get any(): boolean {
    return this.#rejects.size > 0;
  }

  /** Runs `call` with a promise that rejects when the call must end. `late` returns the error at the time limit. */
  async run<T>(
    number: number,
    timeoutMs: number | undefined,
    late: () => CoreError,
    call: (failed: Promise<never>) => Promise<T>,
  ): Promise<T> {
    let fail: (error: CoreError) => void = () => {};
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => {});
    this.#rejects.set(number, fail);
    // The timer keeps Node running for a test that waits for a call without a time limit.
    const timer = setTimeout(() => fail(late()), timeoutMs ?? MAX_TIMER_MS);
    try {
      return await call(failed);
    } finally {
      clearTimeout(timer);
      this.#rejects.delete(number);
    }
  }

  fail(number: number, error: CoreError): void {
    this.#rejects.get(number)?.(error);
  }

  failAll(error: CoreError): void {
    for (const fail of this.#rejects.values()) fail(error);
  }
}
