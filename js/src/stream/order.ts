// Which messages of a stream are to be delivered, and what was missed before them.

import type { StreamMessage } from './format.js';

export type Arrival = 'old' | { missing: number; restarted: boolean };

/** One stream's sequence, across the attempts of its publisher. */
export class Order {
  #run: string | undefined;
  #next = 0;
  readonly #superseded = new Set<string>();

  take({ run, seq }: StreamMessage): Arrival {
    if (this.#superseded.has(run)) return 'old';
    const restarted = this.#run !== undefined && run !== this.#run;
    if (restarted) {
      this.#superseded.add(this.#run as string);
      this.#next = 0;
    }
    this.#run = run;
    if (seq < this.#next) return 'old';
    const missing = seq - this.#next;
    this.#next = seq + 1;
    return { missing, restarted };
  }
}
