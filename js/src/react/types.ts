// The types of useChannel.

import type { SubscriptionOptions } from '../browser/subscription-types.js';
import type { Callback, RealtimeEvent } from '../browser/types.js';
import type { SealwireError } from '../errors/sealwire-error.js';

/** The options of `useChannel`. */
export interface UseChannelOptions extends SubscriptionOptions {
  /** True to use the installation-wide channel of this name. The default is false. */
  global?: boolean;
  /** Receives an error: messages were missed, one could not be decrypted, or the relay ended the subscription. */
  onError?: (error: SealwireError) => void;
  /** Receives `GAP` instead of `onError`. Load the current state again; messages continue. */
  onGap?: (error: SealwireError) => void;
}

/** Separate functions for messages and errors, together with the options. */
export interface ChannelHandlers<P> extends UseChannelOptions {
  /** Receives each message, once and in order. */
  onMessage: (payload: P, event: RealtimeEvent) => void;
  /** Receives the errors of the subscription. */
  onError: (error: SealwireError) => void;
}

/** The handler of `useChannel`: a callback, or separate functions. */
export type ChannelHandler<P> = Callback<P> | ChannelHandlers<P>;

/** The state of a component's subscription. */
export interface ChannelState {
  /**
   * - `off`: there is no channel, or React has hidden the component.
   * - `subscribing`: not confirmed yet. An `error` tells why the last attempt failed.
   * - `subscribed`: confirmed. It stays in this state while the client reconnects.
   * - `failed`: refused, for the reason in `error`.
   * - `ended`: by the relay, or by `close()`, whose `error` is `CLOSED`.
   */
  status: 'off' | 'subscribing' | 'subscribed' | 'failed' | 'ended';
  /** The reason for the state, if there is one. */
  error?: SealwireError;
}
