// The subscription of one useChannel. React may run an effect's cleanup and the same effect again in one go (StrictMode,
// fast refresh): what is released and held again before the next microtask is never interrupted.

import type { AnyCallback } from '../browser/deliver.js';
import type { Realtime, Subscription, SubscriptionOptions } from '../browser/types.js';
import { errorFromCore } from '../errors/from-core.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import type { ChannelState } from './types.js';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Errors after which messages go on. */
const PASSING = ['GAP', 'MESSAGE_UNREADABLE'];

export interface Target {
  realtime: Realtime;
  channel: string;
  global: boolean;
  /** Equal for equal subscriptions. */
  key: string;
}

export class KeptSubscription {
  readonly target: Target;
  state: ChannelState = { status: 'subscribing' };
  readonly #options: () => SubscriptionOptions;
  readonly #callback: AnyCallback;
  #changed: ((state: ChannelState) => void) | undefined;
  #held = false;
  #started = false;
  #over = false;
  #token: unknown;
  #subscription: Subscription | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(target: Target, options: () => SubscriptionOptions, callback: AnyCallback) {
    this.target = target;
    this.#options = options;
    this.#callback = callback;
  }

  serves(target: Target): boolean {
    return !this.#over && this.target.key === target.key && this.target.realtime === target.realtime;
  }

  hold(changed: (state: ChannelState) => void): void {
    this.#held = true;
    this.#changed = changed;
    queueMicrotask(() => {
      if (!this.#held || this.#started) return;
      this.#started = true;
      void this.#subscribe();
    });
  }

  release(): void {
    this.#held = false;
    this.#changed = undefined;
    queueMicrotask(() => {
      if (!this.#held) this.#end();
    });
  }

  /** Takes a new channel token into the subscription as it is, or, where its claims are others, into a new one. */
  renew(token: unknown): void {
    if (typeof token !== 'string' || token === this.#token || !this.#started || this.#over) return;
    const { status } = this.state;
    if (status === 'failed' || status === 'ended') return this.#again();
    const subscription = this.#subscription;
    // One that is still being made asks for the token again when it is.
    if (!subscription) return;
    this.#token = token;
    subscription.refreshToken(token).catch(() => {
      if (this.#subscription === subscription) this.#again();
    });
  }

  async #subscribe(): Promise<void> {
    const { realtime, channel, global } = this.target;
    const options = this.#options();
    this.#token = options.token;
    let made: Subscription | undefined;
    const deliver: AnyCallback = (payload, error, event) => {
      if (this.#over || (made !== undefined && made !== this.#subscription)) return;
      this.#callback(payload, error, event);
      if (error && !PASSING.includes(error.code)) this.#show({ status: 'ended', error });
    };
    try {
      made = await (global ? realtime.subscribeGlobal : realtime.subscribe)(channel, deliver, options);
    } catch (thrown) {
      return this.#refused(errorFromCore(thrown));
    }
    this.#subscription = made;
    if (this.#over) return this.#drop();
    if (this.state.status !== 'ended') this.#show({ status: 'subscribed' });
    this.renew(this.#options().token);
  }

  /** Nothing was promised yet, so trying again loses nothing. A token does not get better by itself. */
  #refused(error: SealwireError): void {
    if (this.#over) return;
    if (!error.retryable || error.code.startsWith('TOKEN_')) return this.#show({ status: 'failed', error });
    this.#show({ status: 'subscribing', error });
    const wait = error.retryAfterMs ?? this.#retryMs * (0.5 + Math.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.#retry = setTimeout(() => void this.#subscribe(), wait);
  }

  #again(): void {
    this.#drop();
    this.#show({ status: 'subscribing' });
    void this.#subscribe();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  #drop(): void {
    // It is over for the app at once; what the relay answers is of no interest any more.
    this.#subscription?.unsubscribe().catch(() => {});
    this.#subscription = undefined;
  }

  #show(state: ChannelState): void {
    this.state = state;
    this.#changed?.(state);
  }
}
