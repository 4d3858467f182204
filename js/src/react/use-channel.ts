// useChannel: a component's subscription.

import { useEffect, useInsertionEffect, useRef, useState } from 'react';

import { deliverError, type AnyCallback, type Audience } from '../browser/deliver.js';
import type { RealtimeEvent, SubscriptionOptions } from '../browser/types.js';
import type { TokenProvider } from '../session/channel-token.js';
import { useRealtime } from './context.js';
import { KeptSubscription, type Target } from './kept-subscription.js';
import type { ChannelHandler, ChannelState, UseChannelOptions } from './types.js';

const OFF: ChannelState = { status: 'off' };
const SUBSCRIBING: ChannelState = { status: 'subscribing' };

type News = Parameters<AnyCallback>;

/** Everything that makes another subscription. A token renews the one that there is, if it can. */
function keyOf(channel: string, options: UseChannelOptions): string {
  const { global = false, replaySeconds, contextOverrides, token } = options;
  const scope = contextOverrides && [...contextOverrides].sort();
  return JSON.stringify([channel, global, replaySeconds, scope, typeof token]);
}

function subscriptionOptions(current: () => UseChannelOptions): SubscriptionOptions {
  const { global: _, ...all } = current();
  // The hook's own callback takes the errors, and call() hands them on.
  const { onError: __, onGap: ___, ...options } = all;
  if (typeof options.token !== 'function') return options;
  // The function may be another one at each render, as the callback may.
  const token: TokenProvider = () => (current().token as TokenProvider)();
  return { ...options, token };
}

interface Latest {
  handler: ChannelHandler<any>;
  options: UseChannelOptions;
}

/** Hands news to the functions of the latest render. */
function call({ handler, options }: Latest, to: Pick<Audience, 'channel' | 'unheard'>, news: News): void {
  const [payload, error, event] = news;
  const isFunction = typeof handler === 'function';
  if (!error) {
    if (isFunction) handler(payload, undefined, event);
    else handler.onMessage(payload, event as RealtimeEvent);
    return;
  }
  const { onError, onGap } = isFunction ? options : handler;
  const callback: AnyCallback = isFunction ? handler : () => {};
  deliverError({ ...to, callback, ...(onError && { onError }), ...(onGap && { onGap }) }, error, event);
}

/**
 * Subscribes while the component is mounted; null or undefined as the channel subscribes to nothing. The handler may be
 * another function at each render. The subscription is made anew where the channel, the options' values or the
 * connection change, and a new token goes into the subscription that there is.
 */
export function useChannel<P extends string | object = string | Record<string, unknown>>(
  channel: string | null | undefined,
  handler: ChannelHandler<P>,
  given?: UseChannelOptions,
): ChannelState {
  const realtime = useRealtime();
  const options = given ?? (typeof handler === 'function' ? {} : handler);
  const latest = useRef({ handler, options });
  useInsertionEffect(() => {
    latest.current = { handler, options };
  });

  const key = channel == null ? undefined : keyOf(channel, options);
  const [shown, setShown] = useState<{ target: Target; state: ChannelState }>();
  const kept = useRef<KeptSubscription | undefined>(undefined);
  useEffect(() => {
    if (channel == null || key === undefined) return undefined;
    const target = { realtime, channel, global: latest.current.options.global ?? false, key };
    if (!kept.current?.serves(target)) {
      const to = { channel, unheard: new Set<string>() };
      kept.current = new KeptSubscription(
        target,
        () => subscriptionOptions(() => latest.current.options),
        (...news) => call(latest.current, to, news),
      );
    }
    const subscription = kept.current;
    subscription.hold((state) => setShown({ target: subscription.target, state }));
    return () => subscription.release();
    // The key stands for the channel and every option.
  }, [realtime, key]);
  useEffect(() => kept.current?.renew(options.token), [options.token]);

  if (key === undefined) return OFF;
  const current = shown?.target.key === key && shown.target.realtime === realtime;
  return current ? shown.state : SUBSCRIBING;
}
