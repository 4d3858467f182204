// The frame that holds the page's socket: gives the other frames places on it, and passes their frames on unread.

import type { Socket } from '../transport/socket.js';
import type { Browser, Channel, ToFollower, ToLeader } from './messages.js';
import type { Multiplexer } from './multiplexer.js';

const LOST = 1006;

export class Leader {
  readonly #browser: Browser;
  readonly #multiplexer: Multiplexer;
  readonly #known = new Set<string>();

  constructor(browser: Browser, multiplexer: Multiplexer) {
    this.#browser = browser;
    this.#multiplexer = multiplexer;
  }

  /** A follower asks for a place. It may ask twice, when a leader has just changed. */
  asked(name: string): void {
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const channel = this.#browser.channel(name);
    const tell = (message: ToFollower) => channel.postMessage(message);
    let place: Socket | undefined;
    if (!this.#multiplexer.isFull) {
      try {
        place = this.#multiplexer.place();
      } catch {
        // This frame's policy forbids it; the follower's own may not.
      }
    }
    if (!place) {
      tell({ type: 'full' });
      channel.close();
      this.#known.delete(name);
      return;
    }
    tell({ type: 'taken' });
    this.#serve(name, place, channel, tell);
  }

  #serve(name: string, place: Socket, channel: Channel, tell: (message: ToFollower) => void): void {
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      channel.close();
      this.#known.delete(name);
    };
    place.onopen = (transport) => tell({ type: 'open', transport });
    place.onmessage = ({ data }) => tell({ type: 'frame', data });
    place.onclose = ({ code, failure }) => {
      if (!over) tell({ type: 'closed', code: code || LOST, ...(failure && { failure }) });
      end();
    };
    channel.onmessage = ({ data }) => {
      const message = data as ToLeader;
      if (message.type === 'frame') return place.send(new Uint8Array(message.data));
      place.close(message.code);
      end();
    };
    // Granted once the follower has let go of it, also where its frame was removed without a word.
    this.#browser.locks
      .request(name, async () => {
        place.close();
        end();
      })
      .catch(() => {});
  }
}
