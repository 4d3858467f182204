// The frame that holds the page's WebSocket: grants slots to the other frames, and passes their frames on without reading
// them.

import { CloseCode } from '../transport/close-codes.js';
import type { Socket } from '../transport/socket.js';
import type { Browser, Channel, ToFollower, ToLeader } from './messages.js';
import type { Multiplexer } from './multiplexer.js';

export class Leader {
  readonly #browser: Browser;
  readonly #multiplexer: Multiplexer;
  /** The names of the followers that have a slot. */
  readonly #followers = new Set<string>();

  constructor(browser: Browser, multiplexer: Multiplexer) {
    this.#browser = browser;
    this.#multiplexer = multiplexer;
  }

  /** Grants or refuses a follower's request for a slot. A follower may repeat it when the leader has just changed. */
  requested(name: string): void {
    if (this.#followers.has(name)) return;
    this.#followers.add(name);
    const channel = this.#browser.channel(name);
    const post = (message: ToFollower) => channel.postMessage(message);
    let slot: Socket | undefined;
    if (!this.#multiplexer.isFull) {
      try {
        slot = this.#multiplexer.takeSlot();
      } catch {
        // This frame's policy forbids the WebSocket; the follower's own policy may allow it.
      }
    }
    if (!slot) {
      post({ type: 'full' });
      channel.close();
      this.#followers.delete(name);
      return;
    }
    post({ type: 'taken' });
    this.#serve(name, slot, channel, post);
  }

  #serve(name: string, slot: Socket, channel: Channel, post: (message: ToFollower) => void): void {
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      channel.close();
      this.#followers.delete(name);
    };
    slot.onopen = (transport) => post({ type: 'open', transport });
    slot.onmessage = ({ data }) => post({ type: 'frame', data });
    slot.onclose = ({ code, failure }) => {
      if (!over) post({ type: 'closed', code: code || CloseCode.Lost, ...(failure && { failure }) });
      end();
    };
    channel.onmessage = ({ data }) => {
      const message = data as ToLeader;
      if (message.type === 'frame') return slot.send(new Uint8Array(message.data));
      slot.close(message.code);
      end();
    };
    // The lock is granted once the follower has released it, or once its frame was removed without an event.
    this.#browser.locks
      .request(name, async () => {
        slot.close();
        end();
      })
      .catch(() => {});
  }
}
