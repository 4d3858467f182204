// The types of useChannel.

import type { Callback, RealtimeEvent, SubscriptionOptions } from '../browser/types.js';
import type { SealwireError } from '../errors/sealwire-error.js';

export interface UseChannelOptions extends SubscriptionOptions {
  /** Subscribes to the installation-wide channel of that name. */
  global?: boolean;
}

/** A callback for each kind of news, with the options beside them. */
export interface ChannelHandlers<P> extends UseChannelOptions {
  onMessage: (payload: P, event: RealtimeEvent) => void;
  /** Messages were missed, one could not be opened, or the relay ended the subscription. */
  onError: (error: SealwireError) => void;
  /** Takes the first of these: load the state again. Messages go on. */
  onGap?: (error: SealwireError) => void;
}

export type ChannelHandler<P> = Callback<P> | ChannelHandlers<P>;

/**
 * What became of the subscription: `off` (no channel was named), `subscribing`, `subscribed`, `failed` (refused; `error`
 * says why) or `ended` (by the relay, `error` says why). While `subscribing`, an `error` says why it takes so long.
 */
export interface ChannelState {
  status: 'off' | 'subscribing' | 'subscribed' | 'failed' | 'ended';
  error?: SealwireError;
}
