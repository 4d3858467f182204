// The types of the options that select a channel, limit a call and listen to a subscription.

import type { ProductContext } from '../context/product-context.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import type { TokenProvider } from '../session/token-provider.js';

/** The options that select a channel. */
export interface ChannelOptions {
  /**
   * A channel token from the resolver's `signRealtimeToken()`, which selects the channel of the token's claims. A function
   * fetches the token; it is called again before a token expires, for as long as the subscription lives.
   */
  token?: string | TokenProvider;
  /**
   * The properties of the page's context that the channel's scope keeps. `[]` selects the installation-wide channel. The
   * default is the default scope of the page's module.
   */
  contextOverrides?: ProductContext[];
}

/** The options that limit how long a call waits. */
export interface CallOptions {
  /**
   * The maximum duration of the whole call, in milliseconds, at most 24 hours. The default is the client's `timeoutMs`.
   * Without either, a publish waits two minutes, and a subscribe waits until it is confirmed or refused for good.
   */
  timeoutMs?: number;
  /**
   * Cancels the call. A cancelled subscribe is withdrawn and rejects with the signal's reason; a cancelled publish is not
   * sent any more and resolves with the error `ABORTED`. The signal does not end a confirmed subscription.
   */
  signal?: AbortSignal;
}

/**
 * The state of a subscription:
 *
 * - `subscribing`: not confirmed yet. It stays in this state until it is confirmed, refused for good or withdrawn.
 * - `subscribed`: confirmed by the relay.
 * - `resuming`: the connection was lost, or the relay refused the channel for the moment. The client retries by itself.
 * - `ended`: by `unsubscribe()`, by `close()`, or by a refusal for good.
 */
export type SubscriptionState = 'subscribing' | 'subscribed' | 'resuming' | 'ended';

/** The outcome of a resume, as `onResumed` receives it. */
export interface Resumed {
  /** True if the relay still had every message since the loss. They follow. False if a `GAP` was reported just before. */
  recovered: boolean;
}

/**
 * The senders whose messages a subscription accepts:
 *
 * - `any`: everybody with access to the channel. `event.sender` names a verified sender.
 * - `verified`: functions of the app, and pages that sign (`signed`), as their signatures prove.
 * - `function`: only functions of the app, as their signature proves.
 */
export type AcceptedSenders = 'any' | 'verified' | 'function';

/** The options of `subscribe()` and `subscribeGlobal()`. */
export interface SubscriptionOptions extends ChannelOptions, CallOptions {
  /** Also delivers messages that were published up to this many seconds before, 0 to 120. The default is 0. */
  replaySeconds?: number;
  /**
   * The senders whose messages are accepted. For the message of another sender, the error `SENDER_UNVERIFIED` is reported
   * instead. The default is `any`.
   */
  senders?: AcceptedSenders;
  /** Receives the subscription's errors instead of the callback, which then receives messages only. */
  onError?: ErrorListener;
  /** Receives `GAP` instead of `onError` and the callback. Load the current state again; messages continue. */
  onGap?: ErrorListener;
  /** Called with every change of the subscription's state, and with the error that ended it, if any. */
  onState?: (state: SubscriptionState, error?: SealwireError) => void;
  /**
   * Called each time that the subscription continues after `resuming`: after `onState('subscribed')`, the last messages from
   * before the loss, and the `GAP` if there is one, and before every message after that. It is not called for the first
   * confirmation.
   */
  onResumed?: (resumed: Resumed) => void;
}

/** Receives an error of a subscription. */
export type ErrorListener = (error: SealwireError) => any;
