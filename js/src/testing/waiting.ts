// Waiting, in a test.

export type Timer = ReturnType<typeof setTimeout>;

/** Later, unless Node ends before: a session that will expire keeps no test running. */
export function later(ms: number, work: () => void): Timer {
  // A longer one would fire at once.
  const timer = setTimeout(work, Math.min(Math.max(0, ms), 0x7fffffff));
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

/** So many turns of the microtask queue that whoever awaits something that is done has heard of it. */
export async function turns(count = 32): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

/** A gate that is open or shut. */
export class Gate {
  #shut: Promise<void> | undefined;
  #open: (() => void) | undefined;

  get isOpen(): boolean {
    return this.#shut === undefined;
  }

  shut(): void {
    this.#shut ??= new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#open?.();
    this.#shut = undefined;
  }

  async passed(): Promise<void> {
    while (this.#shut) await this.#shut;
  }
}
