// Channels of one page, with the face of BroadcastChannel.

import type { Channel } from './messages.js';
import { isGone, type Ear, type Page } from './page.js';

export class PageChannel implements Channel {
  onmessage: Channel['onmessage'] = null;
  readonly #page: Page;
  readonly #name: string;
  readonly #ear: Ear;
  #isClosed = false;

  constructor(page: Page, owner: Document, name: string) {
    this.#page = page;
    this.#name = name;
    this.#ear = {
      owner,
      hear: (message) => {
        // What another frame made is of another realm, and may change.
        const data: unknown = structuredClone(message);
        queueMicrotask(() => this.#isClosed || this.onmessage?.({ data }));
      },
    };
    const ears = page.channels.get(name) ?? new Set();
    page.channels.set(name, ears.add(this.#ear));
  }

  postMessage(message: unknown): void {
    if (this.#isClosed) return;
    for (const ear of [...(this.#page.channels.get(this.#name) ?? [])]) {
      // A frame that was removed without a word has closed nothing.
      if (isGone(ear)) this.#forget(ear);
      else if (ear !== this.#ear) ear.hear(message);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#forget(this.#ear);
  }

  #forget(ear: Ear): void {
    const ears = this.#page.channels.get(this.#name);
    ears?.delete(ear);
    if (ears?.size === 0) this.#page.channels.delete(this.#name);
  }
}
