// The time of one call in a resolver: the time that the app allows it, and never more than its Forge function has left.

import { invalid } from '../arguments/invalid.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { remainingMs } from './platform.js';
import { monotonicMs } from '../monotonic.js';

export const DEFAULT_TIMEOUT_MS = 5_000;
/** The longest time that Forge gives any function. */
const MAX_TIMEOUT_MS = 15 * 60_000;
/** The part of the function's time that stays for its own answer. */
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
  readonly #isFunctions: boolean;

  constructor(timeoutMs: number) {
    const left = remainingMs();
    const ofFunction = left === undefined ? Infinity : Math.max(0, left - RESERVE_MS);
    this.#isFunctions = ofFunction < timeoutMs;
    this.#totalMs = Math.min(timeoutMs, ofFunction);
  }

  get leftMs(): number {
    return Math.max(0, this.#totalMs - (monotonicMs() - this.#start));
  }

  /** Says how long the call could take, and what would give it more time. */
  get text(): string {
    return this.#isFunctions
      ? `within the ${seconds(this.#totalMs)} that the Forge function had left for it`
      : `within ${seconds(this.#totalMs)} (the option timeoutMs)`;
  }

  /** The time since the call began. */
  get spent(): string {
    return seconds(monotonicMs() - this.#start);
  }

  /** Waits for `work`, and at the deadline fails with `late()`. A result that comes later is dropped. */
  within<T>(work: Promise<T>, late: () => SealwireError): Promise<T> {
    return withinMs(this.leftMs, work, late);
  }
}

export async function withinMs<T>(ms: number, work: Promise<T>, late: () => unknown): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(late()), ms)));
  // Whichever of the two comes second has nobody to hear it.
  work.catch(() => {});
  end.catch(() => {});
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}
