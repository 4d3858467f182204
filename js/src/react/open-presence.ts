// The presence of one usePresence. React may run an effect's cleanup and the same effect again in one go (StrictMode, fast
// refresh): a presence that is released and held again before the next microtask is never closed.

import { deliverError } from '../browser/deliver.js';
import type { Presence, PresenceMember, PresenceOptions } from '../browser/presence-types.js';
import type { Realtime } from '../browser/types.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { PresenceState } from './presence-state.js';
import { RetryTimer } from './retry-timer.js';
import { TokenRenewal } from './token-renewal.js';

export class OpenPresence {
  isOver = false;
  readonly #realtime: Realtime;
  readonly #channel: string;
  readonly #options: () => PresenceOptions;
  /** The codes of the errors that the app has no listener for. */
  readonly #unheard = new Set<string>();
  readonly #retry = new RetryTimer();
  readonly #renewal = new TokenRenewal(this.#retry, {
    opened: () => this.#presence,
    hasEnded: () => this.#state.status === 'failed',
    restart: () => this.#restart(),
  });
  #state: PresenceState = { status: 'opening', members: [] };
  #changed: ((state: PresenceState) => void) | undefined;
  #isHeld = false;
  #isStarted = false;
  /** The latest call of presence(), which its signal cancels. An earlier call shows nothing. */
  #attempt: AbortController | undefined;
  #presence: Presence | undefined;
  /** The data as JSON text; undefined if the component is no member. */
  #data: string | undefined;
  #removeStateListener: () => void = () => {};

  /** `options` returns the options of the latest render. */
  constructor(realtime: Realtime, channel: string, options: () => PresenceOptions) {
    this.#realtime = realtime;
    this.#channel = channel;
    this.#options = options;
  }

  /** Opens the presence, or keeps it. `changed` receives its states. */
  hold(changed: (state: PresenceState) => void): void {
    this.#isHeld = true;
    this.#changed = changed;
    changed(this.#state);
    queueMicrotask(() => {
      if (!this.#isHeld || this.#isStarted) return;
      this.#isStarted = true;
      const closed = () => this.#fail(closedError());
      this.#removeStateListener = this.#realtime.onStateChange((state) => state === 'closed' && closed());
      void this.#open();
    });
  }

  /** Closes the presence, unless it is held again before the next microtask. */
  release(): void {
    this.#isHeld = false;
    this.#changed = undefined;
    queueMicrotask(() => {
      if (this.#isHeld || this.isOver) return;
      this.isOver = true;
      this.#removeStateListener();
      this.#drop();
    });
  }

  /** Enters with this data, given as JSON text, or leaves. */
  enter(data: string | undefined): void {
    if (this.#data === data) return;
    this.#data = data;
    this.#sendData();
  }

  /** Renews the token of the presence with one of the same claims. If the presence has failed, it is opened again. */
  renew(token: unknown): void {
    // A token does not open a connection that the app has closed.
    if (!this.#isStarted || this.isOver || this.#state.error?.code === 'CLOSED') return;
    this.#renewal.renew(token);
  }

  async #open(): Promise<void> {
    const options = this.#options();
    this.#renewal.begin(options.token);
    const attempt = (this.#attempt = new AbortController());
    const isCurrent = () => attempt === this.#attempt;
    let presence: Presence | undefined;
    const onError = (error: SealwireError) => {
      if (!isCurrent()) return;
      const { onError: listener } = options;
      deliverError(
        { channel: this.#channel, callback: () => {}, onError: listener, unheard: this.#unheard },
        error,
      );
      if (presence?.state === 'ended') this.#fail(error);
    };
    try {
      presence = await this.#realtime.presence(this.#channel, {
        ...options,
        onError,
        signal: attempt.signal,
      });
    } catch (thrown) {
      if (isCurrent()) this.#refused(errorFromCore(thrown));
      return;
    }
    if (!isCurrent()) return void presence.close().catch(() => {});
    this.#presence = presence;
    this.#retry.reset();
    const show = (members: readonly PresenceMember[]) => {
      if (isCurrent()) this.#set({ status: 'open', members });
    };
    presence.onChange(show);
    show(presence.members);
    if (this.#data !== undefined) this.#sendData();
    this.renew(this.#options().token);
  }

  /** Handles a rejected presence(), as useChannel does: a retryable error is retried, except one about a token. */
  #refused(error: SealwireError): void {
    if (!error.retryable || error.code.startsWith('TOKEN_')) return this.#fail(error);
    this.#set({ status: 'opening', members: [], error });
    this.#retry.later(error, () => void this.#open());
  }

  #sendData(): void {
    const [data, presence] = [this.#data, this.#presence];
    const sent = data === undefined ? presence?.leave() : presence?.enter(JSON.parse(data));
    sent?.catch((thrown: unknown) => {
      const isLatest = this.#presence === presence && this.#data === data;
      if (isLatest) this.#set({ ...this.#state, error: errorFromCore(thrown) });
    });
  }

  #restart(): void {
    this.#drop();
    this.#set({ status: 'opening', members: [] });
    void this.#open();
  }

  #fail(error: SealwireError): void {
    this.#drop();
    this.#set({ status: 'failed', members: [], error });
  }

  /** Closes the presence, or cancels the call that opens it. */
  #drop(): void {
    this.#retry.stop();
    const [attempt, presence] = [this.#attempt, this.#presence];
    this.#attempt = this.#presence = undefined;
    attempt?.abort();
    presence?.close().catch(() => {});
  }

  #set(state: PresenceState): void {
    this.#state = state;
    this.#changed?.(state);
  }
}

function closedError(): SealwireError {
  const text = 'The connection was closed. Mount the component again, or name another channel, to open it.';
  return new SealwireError('CLOSED', text);
}
