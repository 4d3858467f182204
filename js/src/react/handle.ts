// Hands what a subscription brings to the handler of useChannel.

import type { AnyCallback } from '../browser/deliver.js';
import type { RealtimeEvent } from '../browser/types.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import type { ChannelHandler, UseChannelOptions } from './types.js';

/** A function of one argument takes messages only. */
function handleError(handler: ChannelHandler<any>, options: UseChannelOptions, error: SealwireError): void {
  const { onError, onGap } = typeof handler === 'function' ? options : handler;
  if (error.code === 'GAP' && onGap) return onGap(error);
  if (onError) return onError(error);
  if (typeof handler === 'function' && handler.length > 1) handler(undefined, error);
}

export function handle(
  handler: ChannelHandler<any>,
  options: UseChannelOptions,
  ...[payload, error, event]: Parameters<AnyCallback>
): void {
  if (error) return handleError(handler, options, error);
  if (typeof handler === 'function') return void handler(payload, undefined, event);
  handler.onMessage(payload, event as RealtimeEvent);
}
