// The subscription of one useChannel. React may run an effect's cleanup and the same effect again in one go (StrictMode,
// fast refresh): what is released and held again before the next microtask is never interrupted.

import type { AnyCallback } from '../browser/deliver.js';
import type { Realtime, Subscription, SubscriptionOptions } from '../browser/types.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
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

export class StrictModeSubscription {
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
  /** Identifies the latest call of subscribe(): an earlier one delivers nothing. */
  #attempt: object = {};
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #unwatch: () => void = () => {};

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
      this.#unwatch = this.target.realtime.onStateChange((state) => state === 'closed' && this.#closed());
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

  /** Takes a new channel token of the same claims into the subscription as it is, or, where it ended, into a new one. */
  renew(token: unknown): void {
    if (typeof token !== 'string' || token === this.#token || !this.#started || this.#over) return;
    const { status, error } = this.state;
    // The app closed the connection, and a token does not open it again.
    if (error?.code === 'CLOSED') return;
    if (status === 'failed' || status === 'ended') return this.#again();
    const subscription = this.#subscription;
    // One that is still being made asks for the token again when it is.
    if (!subscription) return;
    this.#token = token;
    clearTimeout(this.#retry);
    subscription.refreshToken(token).catch((thrown: unknown) => {
      if (this.#subscription === subscription) this.#notRenewed(token, errorFromCore(thrown));
    });
  }

  async #subscribe(): Promise<void> {
    const { realtime, channel, global } = this.target;
    const options = this.#options();
    this.#token = options.token;
    const attempt = (this.#attempt = {});
    const deliver: AnyCallback = (payload, error, event) => {
      // A handler may unmount its component while more messages of the same batch are on their way.
      if (!this.#held || attempt !== this.#attempt) return;
      this.#callback(payload, error, event);
      if (error && !PASSING.includes(error.code)) this.#show({ status: 'ended', error });
    };
    let made: Subscription;
    try {
      made = await (global ? realtime.subscribeGlobal : realtime.subscribe)(channel, deliver, options);
    } catch (thrown) {
      if (attempt === this.#attempt) this.#refused(errorFromCore(thrown));
      return;
    }
    if (attempt !== this.#attempt) return leave(made);
    this.#subscription = made;
    this.#retryMs = FIRST_RETRY_MS;
    if (this.state.status !== 'ended') this.#show({ status: 'subscribed' });
    this.renew(this.#options().token);
  }

  /** Nothing was promised yet, so trying again loses nothing. A token does not get better by itself. */
  #refused(error: SealwireError): void {
    if (error.code === 'CLOSED') return this.#closed();
    if (!error.retryable || error.code.startsWith('TOKEN_')) return this.#show({ status: 'failed', error });
    this.#show({ status: 'subscribing', error });
    this.#later(error, () => void this.#subscribe());
  }

  /** Where the relay could not be asked, the subscription goes on with the token that it has. */
  #notRenewed(token: string, error: SealwireError): void {
    if (!error.retryable) return this.#again();
    this.#later(error, () => {
      if (this.#token !== token) return;
      this.#token = undefined;
      this.renew(token);
    });
  }

  #later(error: SealwireError, then: () => void): void {
    const wait = error.retryAfterMs ?? this.#retryMs * (0.5 + Math.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(then, wait);
  }

  #again(): void {
    this.#drop();
    this.#show({ status: 'subscribing' });
    void this.#subscribe();
  }

  /** The app closed the connection, and with it the subscription. */
  #closed(): void {
    this.#drop();
    const text =
      'The connection was closed. Mount the component again, or name another channel, to subscribe.';
    this.#show({ status: 'ended', error: new SealwireError('CLOSED', text) });
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unwatch();
    this.#drop();
  }

  /** Ends the subscription, also one that is being made. */
  #drop(): void {
    clearTimeout(this.#retry);
    this.#attempt = {};
    if (this.#subscription) leave(this.#subscription);
    this.#subscription = undefined;
  }

  #show(state: ChannelState): void {
    this.state = state;
    this.#changed?.(state);
  }
}

/** The subscription is over for the app at once; the relay's answer is of no interest any more. */
function leave(subscription: Subscription): void {
  subscription.unsubscribe().catch(() => {});
}
