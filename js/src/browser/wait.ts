// The wait of one call for its token, the core, the session and the relay. It has one time limit, and the app's signal or
// close() can end it at any stage.

import { checkSignal, checkTimeoutMs } from '../arguments/call-options.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { monotonicMs } from '../monotonic.js';

export interface WaitLimits {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Checks and returns the limits in a call's options. */
export function limitsOf(options: Record<string, unknown>): WaitLimits {
  return { timeoutMs: checkTimeoutMs(options['timeoutMs']), signal: checkSignal(options['signal']) };
}

/** Returns the error with which close() ends pending calls and subscriptions. */
export function closedError(): SealwireError {
  return new SealwireError('CLOSED', 'The client was closed.');
}

/** Returns the error of a publish that the app's signal ended. */
export function abortedError(mayHaveArrived: boolean): SealwireError {
  const end = mayHaveArrived ? 'the message may have arrived' : 'the message was not sent';
  return new SealwireError('ABORTED', `The app's signal ended the call; ${end}.`, { mayHaveArrived });
}

/** Returns the error of a call whose time limit passed while a function of the app was running. */
export function slowFunction(what: string): SealwireError {
  return new SealwireError(
    'SESSION_UNAVAILABLE',
    `${what} has not answered in time; the relay was not asked.`,
  );
}

export class Wait {
  readonly #endsAt: number | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #listeners = new Set<(error: unknown) => void>();
  readonly #aborted = (): void => this.end(this.#signal?.reason);
  #ended: { error: unknown } | undefined;

  constructor({ timeoutMs, signal }: WaitLimits) {
    this.#endsAt = timeoutMs === undefined ? undefined : monotonicMs() + timeoutMs;
    this.#signal = signal;
    if (signal?.aborted) this.#aborted();
    else signal?.addEventListener('abort', this.#aborted);
  }

  /** The remaining time in milliseconds; undefined without a time limit. */
  get remainingMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : Math.max(0, this.#endsAt - monotonicMs());
  }

  /** The error with which the signal or close() has ended the wait; undefined if neither has. */
  get ended(): { error: unknown } | undefined {
    return this.#ended;
  }

  /** Ends the wait with an error, at whatever stage it is. */
  end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.detach();
    for (const listener of [...this.#listeners]) listener(error);
    this.#listeners.clear();
  }

  /** Stops listening to the signal, which has no effect on a call that has returned. */
  detach(): void {
    this.#signal?.removeEventListener('abort', this.#aborted);
  }

  /** Calls the listener when the wait is ended, or at once if it was ended before. */
  onEnd(listener: (error: unknown) => void): void {
    if (this.#ended) listener(this.#ended.error);
    else this.#listeners.add(listener);
  }

  /** Throws the error of a wait that was ended. */
  throwIfEnded(): void {
    if (this.#ended) throw this.#ended.error;
  }

  /** Settles as `awaited` does. Rejects if the wait is ended first, or with `late()` if the time limit passes first. */
  for<T>(awaited: Promise<T>, late: () => SealwireError): Promise<T> {
    return this.#race(awaited, this.remainingMs, (_, reject) => reject(late()));
  }

  /** Resolves once `awaited` has settled or `maxMs` has passed. Rejects if the wait is ended first. */
  settled(awaited: Promise<unknown>, maxMs: number): Promise<void> {
    const calm = awaited.then(
      () => undefined,
      () => undefined,
    );
    return this.#race(calm, Math.min(maxMs, this.remainingMs ?? maxMs), (resolve) => resolve(undefined));
  }

  #race<T>(
    awaited: Promise<T>,
    limitMs: number | undefined,
    late: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const before = this.#ended;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const finish = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(ended);
      };
      const ended = (error: unknown): void => {
        finish();
        reject(error);
      };
      awaited.then(
        (value) => (finish(), resolve(value)),
        (error: unknown) => (finish(), reject(error)),
      );
      if (before) return ended(before.error);
      this.#listeners.add(ended);
      if (limitMs === undefined) return;
      timer = setTimeout(() => {
        finish();
        late(resolve, reject);
      }, limitMs);
    });
  }
}
