// The one class of error that this package throws, rejects with and hands to callbacks.

import { processWide } from '../process-wide.js';
import { isRetryable, type ErrorCode } from './codes.js';

/** A place in a channel's sequence of messages. */
export interface Position {
  /** Identifies one life of the relay's message log. */
  epoch: string;
  /** Grows with every message of the epoch. A decimal string, since it may exceed what a number holds exactly. */
  offset: string;
}

/** Which messages were missed, as far as that is known. */
export interface Gap {
  /** The last place up to which everything was received; null where nothing was received before. */
  from: Position | null;
  /** The place from which messages follow again. */
  to: Position;
  /** `evicted` from the replay cache, another `epoch` of the relay, or `skipped` in the sequence. */
  reason: 'evicted' | 'epoch' | 'skipped';
}

export interface SealwireErrorDetails {
  /** Present where `code` is `GAP`. */
  gap?: Gap | undefined;
  /** How long to wait before trying again, in milliseconds, where the relay said so. */
  retryAfterMs?: number | undefined;
  mayHaveArrived?: boolean | undefined;
  cause?: unknown;
}

class Definition extends Error {
  static {
    Object.defineProperty(this, 'name', { value: 'SealwireError' });
  }

  override readonly name = 'SealwireError';
  readonly code: ErrorCode | (string & {});
  /** Whether the same attempt can succeed later. */
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  /** What was missed, where `code` is `GAP`. */
  readonly gap?: Gap;
  /**
   * Of a publication that failed without the relay's answer: whether the relay may have taken it all the same. Absent where
   * the relay answered.
   */
  readonly mayHaveArrived?: boolean;

  constructor(code: ErrorCode | (string & {}), message: string, details: SealwireErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = isRetryable(code);
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    if (details.gap !== undefined) this.gap = details.gap;
    if (details.mayHaveArrived !== undefined) this.mayHaveArrived = details.mayHaveArrived;
  }
}

/**
 * What went wrong: `code` is for programs and never changes its meaning, `message` is for people. One class for the whole
 * process, so that `instanceof` holds however the package was loaded.
 */
export const SealwireError: typeof Definition = /* @__PURE__ */ processWide(
  'SealwireError',
  () => Definition,
);
export type SealwireError = Definition;
