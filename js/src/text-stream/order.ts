// Decides which messages of a stream are delivered, and how many are missing before each.

import type { StreamMessage } from './format.js';

/** The decision about a message: it is `old`, or new after a number of missing messages. */
export type Arrival = 'old' | { missing: number; restarted: boolean };

/** The sequence of one stream, across the attempts of its publisher. */
export class MessageOrder {
  #run: string | undefined;
  #next = 0;
  readonly #supersededRuns = new Set<string>();

  take({ run, seq }: StreamMessage): Arrival {
    if (this.#supersededRuns.has(run)) return 'old';
    const restarted = this.#run !== undefined && run !== this.#run;
    if (restarted) {
      this.#supersededRuns.add(this.#run as string);
      this.#next = 0;
    }
    this.#run = run;
    if (seq < this.#next) return 'old';
    const missing = seq - this.#next;
    this.#next = seq + 1;
    return { missing, restarted };
  }
}
