// The time limit of one call in a resolver: that of the app's options, and at most the remaining time of the Forge function.

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

const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;

export class Deadline {
  readonly #start = monotonicMs();
  readonly #totalMs: number;
  /** True if the Forge function's remaining time is the limit, and not the option timeoutMs. */
  readonly #isLimitOfFunction: boolean;

  constructor(timeoutMs: number) {
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

  /** Settles as `work` does, or rejects with `late()` at the deadline. A later result is dropped. */
  within<T>(work: Promise<T>, late: () => SealwireError): Promise<T> {
    return withinMs(this.leftMs, work, late);
  }
}

/** Settles as `work` does, or rejects with `late()` after `ms`. A later result is dropped. */
export async function withinMs<T>(ms: number, work: Promise<T>, late: () => unknown): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(late()), ms)));
  // Nothing handles the rejection of the promise that loses the race.
  work.catch(() => {});
  end.catch(() => {});
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}
