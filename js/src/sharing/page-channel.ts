// Channels between the frames of one page, with the interface of BroadcastChannel.

import type { Channel } from './messages.js';
import { isGone, type ChannelEnd, type Page } from './page.js';

export class PageChannel implements Channel {
  onmessage: Channel['onmessage'] = null;
  readonly #page: Page;
  readonly #name: string;
  readonly #end: ChannelEnd;
  #isClosed = false;

  constructor(page: Page, owner: Document, name: string) {
    this.#page = page;
    this.#name = name;
    this.#end = {
      owner,
      hear: (message) => {
        // The copy belongs to this frame's realm, and the sender cannot change it afterwards.
        const data: unknown = structuredClone(message);
        queueMicrotask(() => this.#isClosed || this.onmessage?.({ data }));
      },
    };
    const ends = page.channels.get(name) ?? new Set();
    page.channels.set(name, ends.add(this.#end));
  }

  postMessage(message: unknown): void {
    if (this.#isClosed) return;
    for (const end of [...(this.#page.channels.get(this.#name) ?? [])]) {
      // A frame that was removed without an event has not closed its channels.
      if (isGone(end)) this.#forget(end);
      else if (end !== this.#end) end.hear(message);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#forget(this.#end);
  }

  #forget(end: ChannelEnd): void {
    const ends = this.#page.channels.get(this.#name);
    ends?.delete(end);
    if (ends?.size === 0) this.#page.channels.delete(this.#name);
  }
}
