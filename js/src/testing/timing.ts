// Timers, microtasks and gates for the test relay.

export type Timer = ReturnType<typeof setTimeout>;

/** The maximum delay of a timer. A longer one would fire at once. */
const MAX_TIMER_MS = 0x7fffffff;

/** Runs `work` after a delay. The timer does not keep Node running, so a session that will expire delays no test. */
export function later(ms: number, work: () => void): Timer {
  const timer = setTimeout(work, Math.min(Math.max(0, ms), MAX_TIMER_MS));
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

/** Waits for turns of the microtask queue: by default enough for every continuation of settled promises to run. */
export async function turns(count = 32): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

/** A gate that is open or shut. */
export class Gate {
  #opened: Promise<void> | undefined;
  #resolveOpened: (() => void) | undefined;

  get isOpen(): boolean {
    return this.#opened === undefined;
  }

  shut(): void {
    this.#opened ??= new Promise((resolve) => (this.#resolveOpened = resolve));
  }

  open(): void {
    this.#resolveOpened?.();
    this.#opened = undefined;
  }

  /** Resolves once the gate is open. */
  async passed(): Promise<void> {
    while (this.#opened) await this.#opened;
  }
}
