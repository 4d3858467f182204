// useChannel(): the subscription of a component.

import { useEffect, useInsertionEffect, useRef, useState } from 'react';

import type { Payload } from '../arguments/payload.js';
import type { AnyCallback } from '../browser/deliver.js';
import type { Resumed, SubscriptionOptions } from '../browser/subscription-types.js';
import type { Realtime } from '../browser/types.js';
import type { TokenProvider } from '../session/token-provider.js';
import { useRealtime } from './context.js';
import { handle } from './handle.js';
import { StrictModeSubscription, type Target } from './strict-mode-subscription.js';
import { channelKey } from './subscription-key.js';
import type { ChannelHandler, ChannelState, UseChannelOptions } from './types.js';

const OFF: ChannelState = { status: 'off' };
const SUBSCRIBING: ChannelState = { status: 'subscribing' };

/** The arguments of a committed render. */
interface Rendered {
  handler: ChannelHandler<any>;
  options: UseChannelOptions;
  realtime: Realtime;
  key: string | undefined;
}

/** The state of the subscription to a target, which may differ from the target of the render. */
interface Shown {
  target: Target;
  state: ChannelState;
}

/** Returns the key of a subscription. A token with the same claims has the same key, and renews the subscription. */
function keyOf(channel: string, options: UseChannelOptions): string {
  return channelKey(channel, options, options.replaySeconds, options.senders);
}

function subscriptionOptions(current: () => UseChannelOptions): SubscriptionOptions {
  const { global: _, onError: __, onGap: ___, ...rest } = current();
  const { onMessage: ____, ...options } = rest as UseChannelOptions & { onMessage?: unknown };
  if (typeof options.token !== 'function') return options;
  // Each render may pass another function, as with the callback.
  const token: TokenProvider = () => (current().token as TokenProvider)();
  return { ...options, token };
}

/** Returns the subscription to a target. It uses the handler and options of the last committed render for the target. */
function subscriptionTo(target: Target, latest: { readonly current: Rendered }): StrictModeSubscription {
  const isCurrent = () => latest.current.key === target.key && latest.current.realtime === target.realtime;
  const to = { channel: target.channel, unheard: new Set<string>() };
  let last = latest.current;
  const current = () => (isCurrent() ? (last = latest.current) : last);
  const deliver: AnyCallback = (...delivered) => {
    // Once another channel is committed, its handler receives nothing from this one.
    if (isCurrent()) handle(latest.current, to, ...delivered);
  };
  const onResumed = (resumed: Resumed) => {
    if (isCurrent()) latest.current.options.onResumed?.(resumed);
  };
  const options = () => ({ ...subscriptionOptions(() => current().options), onResumed });
  return new StrictModeSubscription(target, options, deliver);
}

/**
 * Subscribes to a channel while the component is mounted and visible. Each render may pass another handler; it receives only
 * messages of the channel, the claims and the client of its own render. A change of one of these, or of an option's value,
 * starts a new subscription. A new token with the same claims renews the current one.
 *
 * @param channel - The name of the channel. With null or undefined, there is no subscription.
 * @param handler - Receives messages and errors.
 * @param options - The options of the subscription. They may also stand beside the functions of `handler`.
 * @returns The state of the subscription.
 *
 * @example
 * ```tsx
 * const { status, error } = useChannel('absences', (change) => apply(change), { contextOverrides: [Jira.Dashboard] });
 * ```
 */
export function useChannel<P extends string | Payload = string | Record<string, unknown>>(
  channel: string | null | undefined,
  handler: ChannelHandler<P>,
  options?: UseChannelOptions,
): ChannelState {
  const realtime = useRealtime();
  const given = options ?? (typeof handler === 'function' ? {} : handler);
  const key = channel == null ? undefined : keyOf(channel, given);
  const latest = useRef<Rendered>({ handler, options: given, realtime, key });
  // An insertion effect runs before all other effects of a commit. A render that is not committed changes nothing.
  useInsertionEffect(() => {
    latest.current = { handler, options: given, realtime, key };
  });

  const [shown, setShown] = useState<Shown>();
  const kept = useRef<StrictModeSubscription | undefined>(undefined);
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
      // React keeps the state of a component that it hides, whose subscription is over.
      show(OFF);
    };
    // The key covers the channel and all options.
  }, [realtime, key]);
  useEffect(() => kept.current?.renew(given.token), [given.token]);

  if (key === undefined) return OFF;
  const current = shown?.target.key === key && shown.target.realtime === realtime;
  return current ? shown.state : SUBSCRIBING;
}
