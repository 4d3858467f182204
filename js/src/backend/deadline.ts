// The end of one call in a resolver: the time limit of the app's options, at most the remaining time of the Forge function,
// and the app's signal.

import { checkSignal } from '../arguments/call-options.js';
import { invalid } from '../arguments/invalid.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { monotonicMs } from '../monotonic.js';
import { remainingMs } from './platform.js';

export const DEFAULT_TIMEOUT_MS = 5_000;
/** The maximum duration of any Forge function. */
const MAX_TIMEOUT_MS = 15 * 60_000;
/** The part of the function's time that remains for its own response. */
const RESERVE_MS = 500;

export function checkTimeout(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT_MS) return value;
  throw invalid(
    `The option timeoutMs must be a number of milliseconds above 0 and at most ${MAX_TIMEOUT_MS}.`,
  );
}

/** The outcome of a call that ended before its first request. */
export const UNASKED = 'The relay was not asked.';

/** Returns the error of a call that the app's signal ended. `outcome` says whether the relay may have received it. */
export function abortedError(outcome: string): SealwireError {
  return new SealwireError('ABORTED', `The app's signal ended the call. ${outcome}`);
}

const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;

/** Returns the deadline of a call with checked options. `timeoutMs` is the limit of a call that sets none. */
export function deadlineOf(options: Record<string, unknown>, timeoutMs: number): Deadline {
  return new Deadline(checkTimeout(options['timeoutMs']) ?? timeoutMs, checkSignal(options['signal']));
}

export class Deadline {
  readonly #start = monotonicMs();
  readonly #totalMs: number;
  /** True if the Forge function's remaining time is the limit, and not the option timeoutMs. */
  readonly #isLimitOfFunction: boolean;

  constructor(
    timeoutMs: number,
    readonly signal?: AbortSignal,
  ) {
    const left = remainingMs();
    const ofFunction = left === undefined ? Infinity : Math.max(0, left - RESERVE_MS);
    this.#isLimitOfFunction = ofFunction < timeoutMs;
    this.#totalMs = Math.min(timeoutMs, ofFunction);
  }

  get leftMs(): number {
    return Math.max(0, this.#totalMs - (monotonicMs() - this.#start));
  }

  /** A clause for errors that names the limit and the option that raises it. */
  get text(): string {
    return this.#isLimitOfFunction
      ? `within the ${seconds(this.#totalMs)} that the Forge function had left for it`
      : `within ${seconds(this.#totalMs)} (the option timeoutMs)`;
  }

  /** The time since the call began, for errors. */
  get spent(): string {
    return seconds(monotonicMs() - this.#start);
  }

  /** Throws if the signal has ended the call before the relay was asked. */
  throwIfAborted(): void {
    if (this.signal?.aborted) throw abortedError(UNASKED);
  }

  /**
   * Settles as `work` does, or rejects with `late()` at the deadline, or with `ABORTED` once the signal ends the call. A later
   * result is dropped.
   */
  within<T>(work: Promise<T>, late: () => SealwireError): Promise<T> {
    return withinMs(this.leftMs, work, late, this.signal, () => abortedError(UNASKED));
  }
}

/** Settles as `work` does, or rejects with `late()` after `ms`, or with `aborted()` by the signal. A later result is dropped. */
export async function withinMs<T>(
  ms: number,
  work: Promise<T>,
  late: () => unknown,
  signal?: AbortSignal,
  aborted: () => unknown = late,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort = () => {};
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
    abort = () => reject(aborted());
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
  });
  // Nothing handles the rejection of the promise that loses the race.
  work.catch(() => {});
  end.catch(() => {});
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
