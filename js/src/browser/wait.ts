// The wait of one call, for its token, the core, the session and the relay: within one limit, and ended at any stage by the
// app's signal or by close().

import { SealwireError } from '../errors/sealwire-error.js';
import { monotonicMs } from '../monotonic.js';

export interface WaitLimits {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** The error that close() gives to calls that wait, and to subscriptions. */
export function closedError(): SealwireError {
  return new SealwireError('CLOSED', 'The client was closed.');
}

/** The error for a publication that the app's signal ended. */
export function abortedError(mayHaveArrived: boolean): SealwireError {
  const end = mayHaveArrived ? 'the message may have arrived' : 'the message was not sent';
  return new SealwireError('ABORTED', `The app's signal ended the call; ${end}.`, { mayHaveArrived });
}

/** The error for a call whose limit passed while a function of the app was under way. */
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
  #over: { error: unknown } | undefined;

  constructor({ timeoutMs, signal }: WaitLimits) {
    this.#endsAt = timeoutMs === undefined ? undefined : monotonicMs() + timeoutMs;
    this.#signal = signal;
    if (signal?.aborted) this.#aborted();
    else signal?.addEventListener('abort', this.#aborted);
  }

  /** The rest of the limit; undefined where there is none. */
  get remainingMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : Math.max(0, this.#endsAt - monotonicMs());
  }

  /** The reason for which the wait was ended from outside. */
  get over(): { error: unknown } | undefined {
    return this.#over;
  }

  /** Ends the wait at whatever stage it is. */
  end(error: unknown): void {
    if (this.#over) return;
    this.#over = { error };
    this.done();
    for (const listener of [...this.#listeners]) listener(error);
    this.#listeners.clear();
  }

  /** The call is over: the signal has no more say. */
  done(): void {
    this.#signal?.removeEventListener('abort', this.#aborted);
  }

  /** The listener is called where the wait is ended, or was before. */
  onEnd(listener: (error: unknown) => void): void {
    if (this.#over) listener(this.#over.error);
    else this.#listeners.add(listener);
  }

  /** Throws where the wait was ended. */
  check(): void {
    if (this.#over) throw this.#over.error;
  }

  /** Resolves with what is awaited. Rejects where the wait is ended first, or with `slow` where its limit passes. */
  for<T>(awaited: Promise<T>, slow: () => SealwireError): Promise<T> {
    return this.#race(awaited, this.remainingMs, (_, reject) => reject(slow()));
  }

  /** Resolves when it is settled, or late. Rejects where the wait is ended first. */
  settled(awaited: Promise<unknown>, mostMs: number): Promise<void> {
    const calm = awaited.then(
      () => undefined,
      () => undefined,
    );
    return this.#race(calm, Math.min(mostMs, this.remainingMs ?? mostMs), (resolve) => resolve(undefined));
  }

  #race<T>(
    awaited: Promise<T>,
    limitMs: number | undefined,
    late: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const over = this.#over;
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
      if (over) return ended(over.error);
      this.#listeners.add(ended);
      if (limitMs === undefined) return;
      timer = setTimeout(() => {
        finish();
        late(resolve, reject);
      }, limitMs);
    });
  }
}
