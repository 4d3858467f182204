// useChannel: a component's subscription.

import { useEffect, useInsertionEffect, useRef, useState } from 'react';

import type { AnyCallback } from '../browser/deliver.js';
import type { Realtime, SubscriptionOptions } from '../browser/types.js';
import type { TokenProvider } from '../session/channel-token.js';
import { useRealtime } from './context.js';
import { handle } from './handle.js';
import { KeptSubscription, type Target } from './kept-subscription.js';
import { channelKey } from './subscription-key.js';
import type { ChannelHandler, ChannelState, UseChannelOptions } from './types.js';

const OFF: ChannelState = { status: 'off' };
const SUBSCRIBING: ChannelState = { status: 'subscribing' };

/** What a committed render asked for. */
interface Rendered {
  handler: ChannelHandler<any>;
  options: UseChannelOptions;
  realtime: Realtime;
  key: string | undefined;
}

/** The state of the subscription to a target, which may be another one than the render's. */
interface Shown {
  target: Target;
  state: ChannelState;
}

/** Everything that makes another subscription. A token of the same claims renews the one that there is. */
function keyOf(channel: string, options: UseChannelOptions): string {
  return channelKey(channel, options, options.replaySeconds);
}

function subscriptionOptions(current: () => UseChannelOptions): SubscriptionOptions {
  const { global: _, onError: __, onGap: ___, ...rest } = current();
  const { onMessage: ____, ...options } = rest as UseChannelOptions & { onMessage?: unknown };
  if (typeof options.token !== 'function') return options;
  // The function may be another one at each render, as the callback may.
  const token: TokenProvider = () => (current().token as TokenProvider)();
  return { ...options, token };
}

/** Makes the subscription of a target. Its handler and options are those of the last committed render for that target. */
function subscriptionTo(target: Target, latest: { readonly current: Rendered }): KeptSubscription {
  const isCurrent = () => latest.current.key === target.key && latest.current.realtime === target.realtime;
  const to = { channel: target.channel, unheard: new Set<string>() };
  let last = latest.current;
  const current = () => (isCurrent() ? (last = latest.current) : last);
  const deliver: AnyCallback = (...news) => {
    // After another channel was committed, its handler gets nothing of this one.
    if (isCurrent()) handle(latest.current, to, ...news);
  };
  return new KeptSubscription(target, () => subscriptionOptions(() => current().options), deliver);
}

/**
 * Subscribes while the component is mounted and visible; null or undefined as the channel subscribes to nothing. The
 * handler may be another function at each render, and gets messages of the channel, the claims and the connection of its
 * own render only. The subscription is made anew where one of these or the options' values change, and a new token of the
 * same claims goes into the subscription that there is.
 */
export function useChannel<P extends string | object = string | Record<string, unknown>>(
  channel: string | null | undefined,
  handler: ChannelHandler<P>,
  given?: UseChannelOptions,
): ChannelState {
  const realtime = useRealtime();
  const options = given ?? (typeof handler === 'function' ? {} : handler);
  const key = channel == null ? undefined : keyOf(channel, options);
  const latest = useRef<Rendered>({ handler, options, realtime, key });
  // Before every other effect of the commit. A render that is not committed changes nothing.
  useInsertionEffect(() => {
    latest.current = { handler, options, realtime, key };
  });

  const [shown, setShown] = useState<Shown>();
  const kept = useRef<KeptSubscription | undefined>(undefined);
  useEffect(() => {
    if (channel == null || key === undefined) return undefined;
    const target = { realtime, channel, global: latest.current.options.global ?? false, key };
    if (!kept.current?.serves(target)) kept.current = subscriptionTo(target, latest);
    const subscription = kept.current;
    const show = (state: ChannelState) => setShown({ target, state });
    subscription.hold(show);
    const { state } = subscription;
    setShown((was) => (was === undefined && state.status === 'subscribing' ? was : { target, state }));
    return () => {
      subscription.release();
      // React keeps the state of a component that it hides, and the subscription is over.
      show(OFF);
    };
    // The key stands for the channel and every option.
  }, [realtime, key]);
  useEffect(() => kept.current?.renew(options.token), [options.token]);

  if (key === undefined) return OFF;
  const current = shown?.target.key === key && shown.target.realtime === realtime;
  return current ? shown.state : SUBSCRIBING;
}
