// The subscription of one useChannel. React may run an effect's cleanup and the same effect again in one go (StrictMode,
// fast refresh): a subscription that is released and held again before the next microtask is never interrupted.

import { checkSignal } from '../arguments/call-options.js';
import type { AnyCallback } from '../browser/deliver.js';
import type { SubscriptionOptions, SubscriptionState } from '../browser/subscription-types.js';
import type { Realtime, Subscription } from '../browser/types.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { RetryTimer } from './retry-timer.js';
import { TokenRenewal } from './token-renewal.js';
import type { ChannelState } from './types.js';

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
  #isHeld = false;
  #isStarted = false;
  #isOver = false;
  #subscription: Subscription | undefined;
  /** The latest call of subscribe(), which its signal withdraws. An earlier call delivers nothing. */
  #attempt: AbortController | undefined;
  readonly #retry = new RetryTimer();
  readonly #renewal = new TokenRenewal(this.#retry, {
    opened: () => this.#subscription,
    hasEnded: () => this.state.status === 'failed' || this.state.status === 'ended',
    restart: () => this.#restart(),
  });
  #removeStateListener: () => void = () => {};

  constructor(target: Target, options: () => SubscriptionOptions, callback: AnyCallback) {
    this.target = target;
    this.#options = options;
    this.#callback = callback;
  }

  /** Returns whether this is the subscription of a target. */
  serves(target: Target): boolean {
    return !this.#isOver && this.target.key === target.key && this.target.realtime === target.realtime;
  }

  /** Starts the subscription, or keeps it. `changed` receives its states. */
  hold(changed: (state: ChannelState) => void): void {
    this.#isHeld = true;
    this.#changed = changed;
    queueMicrotask(() => {
      if (!this.#isHeld || this.#isStarted) return;
      this.#isStarted = true;
      const { realtime } = this.target;
      this.#removeStateListener = realtime.onStateChange((state) => state === 'closed' && this.#closed());
      void this.#subscribe();
    });
  }

  /** Ends the subscription, unless it is held again before the next microtask. */
  release(): void {
    this.#isHeld = false;
    this.#changed = undefined;
    queueMicrotask(() => {
      if (!this.#isHeld) this.#end();
    });
  }

  /** Renews the token of the subscription with one of the same claims. If the subscription has ended, it starts again. */
  renew(token: unknown): void {
    // A token does not open a connection that the app has closed.
    if (!this.#isStarted || this.#isOver || this.state.error?.code === 'CLOSED') return;
    this.#renewal.renew(token);
  }

  async #subscribe(): Promise<void> {
    const { realtime, channel, global } = this.target;
    const options = this.#options();
    this.#renewal.begin(options.token);
    const attempt = (this.#attempt = new AbortController());
    const isCurrent = () => attempt === this.#attempt;
    const deliver: AnyCallback = (payload, error, event) => {
      // A handler may unmount its component before the last message of a batch.
      if (this.#isHeld && isCurrent()) this.#callback(payload, error, event);
    };
    let isConfirmed = false;
    const onState = (state: SubscriptionState, error?: SealwireError) => {
      if (state === 'subscribed') isConfirmed = true;
      // Before the confirmation, the rejection below reports the error.
      if (state === 'ended' && isConfirmed && isCurrent()) this.#ended(error);
      options.onState?.(state, error);
    };
    let subscription: Subscription;
    try {
      abortWith(checkSignal(options.signal), attempt);
      const subscribe = global ? realtime.subscribeGlobal : realtime.subscribe;
      subscription = await subscribe(channel, deliver, { ...options, signal: attempt.signal, onState });
    } catch (thrown) {
      // Only the app's signal aborts the current attempt.
      const isAborted = attempt.signal.aborted;
      // Removes the attempt's listener from the app's signal.
      attempt.abort();
      if (isCurrent()) this.#refused(isAborted ? abortedError() : errorFromCore(thrown));
      return;
    }
    if (!isCurrent()) return leave(subscription);
    this.#subscription = subscription;
    this.#retry.reset();
    if (this.state.status !== 'ended') this.#setState({ status: 'subscribed' });
    this.renew(this.#options().token);
  }

  /**
   * Handles a rejected subscribe(), which itself retries while the relay is unreachable or overloaded. It rejects with a
   * retryable error if the app's time limit passed, the token function failed, or the core did not load: nothing has been
   * delivered, so a retry loses nothing. A refused token stays refused.
   */
  #refused(error: SealwireError): void {
    if (error.code === 'CLOSED') return this.#closed();
    if (!error.retryable || error.code.startsWith('TOKEN_'))
      return this.#setState({ status: 'failed', error });
    this.#setState({ status: 'subscribing', error });
    this.#retry.later(error, () => void this.#subscribe());
  }

  #restart(): void {
    this.#drop();
    this.#setState({ status: 'subscribing' });
    void this.#subscribe();
  }

  #ended(error: SealwireError | undefined): void {
    if (error?.code === 'CLOSED') return this.#closed();
    this.#setState({ status: 'ended', ...(error && { error }) });
  }

  /** Ends the subscription because the app has closed the connection. */
  #closed(): void {
    if (this.state.error?.code === 'CLOSED') return;
    this.#drop();
    const text =
      'The connection was closed. Mount the component again, or name another channel, to subscribe.';
    this.#setState({ status: 'ended', error: new SealwireError('CLOSED', text) });
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#removeStateListener();
    this.#drop();
  }

  /** Ends the subscription, or withdraws it if it is not confirmed yet. */
  #drop(): void {
    this.#retry.stop();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.abort();
    if (this.#subscription) leave(this.#subscription);
    this.#subscription = undefined;
  }

  #setState(state: ChannelState): void {
    this.state = state;
    this.#changed?.(state);
  }
}

/** Aborts an attempt when the app's signal aborts. */
function abortWith(signal: AbortSignal | undefined, attempt: AbortController): void {
  const abort = () => attempt.abort(signal?.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true, signal: attempt.signal });
}

/** Returns the error of a subscribe that the app's signal ended. */
function abortedError(): SealwireError {
  return new SealwireError(
    'ABORTED',
    "The app's signal ended the call before the subscription was confirmed.",
  );
}

/** Unsubscribes without waiting for the relay's answer. */
function leave(subscription: Subscription): void {
  subscription.unsubscribe().catch(() => {});
}
