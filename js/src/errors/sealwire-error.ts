// The only class of error that this package throws, rejects with and passes to callbacks.

import { processWide } from '../process-wide.js';
import { isRetryable, type ErrorCode } from './codes.js';

/** A position in a channel's sequence of messages. */
export interface Position {
  /** Identifies the relay's message log since its last start. */
  epoch: string;
  /** The offset within the epoch, which grows with every message. A decimal string, since it may exceed 2^53. */
  offset: string;
}

/** The range of messages that were missed, as far as it is known. */
export interface Gap {
  /** The position up to which every message was received; null if it is unknown: at the begin, or if `withheld`. */
  from: Position | null;
  /** The position after which messages continue. */
  to: Position;
  /**
   * The messages were `evicted` from the replay cache, belong to another `epoch`, were `skipped` in the sequence, or were
   * `withheld`: the relay had accepted a message from its sender and left it out without saying so.
   */
  reason: 'evicted' | 'epoch' | 'skipped' | 'withheld';
}

/** The optional details of a SealwireError. */
export interface SealwireErrorDetails {
  /** The missed messages, if the code is `GAP`. */
  gap?: Gap | undefined;
  /** The time to wait before a retry, in milliseconds, if the relay named one. */
  retryAfterMs?: number | undefined;
  /** True if a failed publication may have reached the relay nevertheless; absent if the relay answered. */
  mayHaveArrived?: boolean | undefined;
  /** The exception that caused this error. */
  cause?: unknown;
}

/**
 * The error of this package: `code` is for programs and never changes its meaning, `message` is for people and says what to
 * do.
 *
 * @example
 * ```ts
 * try {
 *   await realtime.subscribe('absences', show);
 * } catch (error) {
 *   if (error instanceof SealwireError && error.code === 'SCOPE_REFUSED') explain(error.message);
 * }
 * ```
 */
export interface SealwireError extends Error {
  readonly name: 'SealwireError';
  /** The stable code, which never changes its meaning. */
  readonly code: ErrorCode | (string & {});
  /** True if the same call can succeed later. */
  readonly retryable: boolean;
  /** The time to wait before a retry, in milliseconds; absent if the relay named none. */
  readonly retryAfterMs?: number;
  /** The missed messages; present if `code` is `GAP`. */
  readonly gap?: Gap;
  /** True if a failed publication may have reached the relay nevertheless; absent if the relay answered. */
  readonly mayHaveArrived?: boolean;
}

/** The type of the class SealwireError. */
export interface SealwireErrorConstructor {
  /**
   * @param code - The stable code.
   * @param message - A sentence for people.
   * @param details - The gap, the time to wait, and the cause.
   */
  new (code: ErrorCode | (string & {}), message: string, details?: SealwireErrorDetails): SealwireError;
  readonly prototype: SealwireError;
}

class Definition extends Error implements SealwireError {
  static {
    Object.defineProperty(this, 'name', { value: 'SealwireError' });
  }

  override readonly name = 'SealwireError';
  readonly code: ErrorCode | (string & {});
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly gap?: Gap;
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

/** The class of the errors. There is one per process, so `instanceof` works even if the package was loaded several times. */
export const SealwireError: SealwireErrorConstructor = /* @__PURE__ */ processWide(
  'SealwireError',
  () => Definition,
);
