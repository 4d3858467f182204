// Delivers the messages and errors of a subscription to the handler of useChannel.

import { deliverError, type AnyCallback, type Audience } from '../browser/deliver.js';
import type { RealtimeEvent } from '../browser/types.js';
import type { ChannelHandler, UseChannelOptions } from './types.js';

/** A handler with its options. */
export interface Handling {
  handler: ChannelHandler<any>;
  options: UseChannelOptions;
}

/** Delivers a message to the handler, or an error to the function for it. */
export function handle(
  { handler, options }: Handling,
  to: Pick<Audience, 'channel' | 'unheard'>,
  ...[payload, error, event]: Parameters<AnyCallback>
): void {
  const isFunction = typeof handler === 'function';
  if (!error) {
    if (isFunction) handler(payload, undefined, event);
    else handler.onMessage(payload, event as RealtimeEvent);
    return;
  }
  const { onError, onGap } = isFunction ? options : handler;
  const callback: AnyCallback = isFunction ? handler : () => {};
  deliverError({ ...to, callback, onError, onGap }, error, event);
}
