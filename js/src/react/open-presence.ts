// The presence of one usePresence. React may run an effect's cleanup and the same effect again in one go (StrictMode, fast
// refresh): a presence that is released and held again before the next microtask is never closed.

import type { Presence, PresenceMember, PresenceOptions } from '../browser/presence-types.js';
import type { Realtime } from '../browser/types.js';
import { errorFromCore } from '../errors/from-core.js';
import type { PresenceState } from './presence-state.js';

export class OpenPresence {
  readonly #realtime: Realtime;
  readonly #channel: string;
  readonly #options: () => PresenceOptions;
  readonly #cancel = new AbortController();
  #state: PresenceState = { status: 'opening', members: [] };
  #changed: ((state: PresenceState) => void) | undefined;
  #isHeld = false;
  #isStarted = false;
  #presence: Presence | undefined;
  /** The data as JSON text; undefined if the component is no member. */
  #data: string | undefined;

  constructor(realtime: Realtime, channel: string, options: () => PresenceOptions) {
    this.#realtime = realtime;
    this.#channel = channel;
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#cancel.signal.aborted;
  }

  /** Opens the presence, or keeps it. `changed` receives its states. */
  hold(changed: (state: PresenceState) => void): void {
    this.#isHeld = true;
    this.#changed = changed;
    changed(this.#state);
    queueMicrotask(() => {
      if (!this.#isHeld || this.#isStarted) return;
      this.#isStarted = true;
      void this.#open();
    });
  }

  /** Closes the presence, unless it is held again before the next microtask. */
  release(): void {
    this.#isHeld = false;
    this.#changed = undefined;
    queueMicrotask(() => {
      if (this.#isHeld || this.isOver) return;
      this.#cancel.abort();
      this.#presence?.close().catch(() => {});
    });
  }

  /** Enters with this data, given as JSON text, or leaves. */
  enter(data: string | undefined): void {
    if (this.#data === data) return;
    this.#data = data;
    this.#sendData();
  }

  async #open(): Promise<void> {
    let presence: Presence;
    try {
      const options = { ...this.#options(), signal: this.#cancel.signal };
      presence = await this.#realtime.presence(this.#channel, options);
    } catch (thrown) {
      if (!this.isOver) this.#set({ status: 'failed', members: [], error: errorFromCore(thrown) });
      return;
    }
    if (this.isOver) return void presence.close().catch(() => {});
    this.#presence = presence;
    const show = (members: readonly PresenceMember[]) => this.#set({ status: 'open', members });
    presence.onChange(show);
    show(presence.members);
    if (this.#data !== undefined) this.#sendData();
  }

  #sendData(): void {
    const data = this.#data;
    const sent = data === undefined ? this.#presence?.leave() : this.#presence?.enter(JSON.parse(data));
    sent?.catch((thrown: unknown) => {
      if (!this.isOver && this.#data === data) this.#set({ ...this.#state, error: errorFromCore(thrown) });
    });
  }

  #set(state: PresenceState): void {
    this.#state = state;
    this.#changed?.(state);
  }
}
