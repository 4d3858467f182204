// The types of useChannel.

import type { Callback, RealtimeEvent, SubscriptionOptions } from '../browser/types.js';
import type { SealwireError } from '../errors/sealwire-error.js';

export interface UseChannelOptions extends SubscriptionOptions {
  /** Subscribes to the installation-wide channel of that name. */
  global?: boolean;
  /** Messages were missed, one could not be opened, or the relay ended the subscription. */
  onError?: (error: SealwireError) => void;
  /** Takes the first of these: load the state again. Messages go on. */
  onGap?: (error: SealwireError) => void;
}

/** A callback for each kind of news, with the options beside them. */
export interface ChannelHandlers<P> extends UseChannelOptions {
  onMessage: (payload: P, event: RealtimeEvent) => void;
  onError: (error: SealwireError) => void;
}

export type ChannelHandler<P> = Callback<P> | ChannelHandlers<P>;

/**
 * The state of the subscription: `off` (no channel was named, or React has hidden the component), `subscribing`,
 * `subscribed`, `failed` (refused; `error` says why) or `ended` (by the relay or by the connection's `close()`, whose
 * `error` is `CLOSED`). While `subscribing`, an `error` says why it takes so long.
 */
export interface ChannelState {
  status: 'off' | 'subscribing' | 'subscribed' | 'failed' | 'ended';
  error?: SealwireError;
}
