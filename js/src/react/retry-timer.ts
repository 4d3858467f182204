// Retries of a hook after failures, with a pause that grows.

import type { SealwireError } from '../errors/sealwire-error.js';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export class RetryTimer {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pauseMs = FIRST_RETRY_MS;

  /** Calls `retry` after the time that the error names, or after a pause that doubles with each failure. */
  later(error: SealwireError, retry: () => void): void {
    const delay = error.retryAfterMs ?? this.#pauseMs * (0.5 + Math.random() / 2);
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_RETRY_MS);
    this.stop();
    this.#timer = setTimeout(retry, delay);
  }

  /** Cancels the retry. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Begins with the shortest pause again. */
  reset(): void {
    this.#pauseMs = FIRST_RETRY_MS;
  }
}
