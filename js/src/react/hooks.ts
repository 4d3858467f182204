// createHooks(): the hooks with the types of a channel map.

import type { ReactElement } from 'react';

import type { PublishOptions, PublishResult, Realtime } from '../browser/types.js';
import type { ChannelMap, ChannelName, WithMap } from '../channel-map.js';
import type { ConnectionState } from '../core/browser-core.js';
import { RealtimeProvider, useRealtime, type RealtimeProviderProps } from './context.js';
import type { ChannelHandler, ChannelState, UseChannelOptions } from './types.js';
import { useChannel } from './use-channel.js';
import { usePresence } from './use-presence.js';
import { usePublish, type UsePublishOptions } from './use-publish.js';
import { useRealtimeState } from './use-realtime-state.js';

/** The type of `useChannel`, with a channel map or without. */
export type UseChannel<M extends ChannelMap<M> = any> = WithMap<
  M,
  <C extends ChannelName<M>>(
    channel: C | null | undefined,
    handler: ChannelHandler<M[C]>,
    options?: UseChannelOptions,
  ) => ChannelState,
  typeof useChannel
>;

/** The type of `usePublish`, with a channel map or without. */
export type UsePublish<M extends ChannelMap<M> = any> = WithMap<
  M,
  <C extends ChannelName<M>>(
    channel: C,
    options?: UsePublishOptions,
  ) => (payload: M[C], options?: PublishOptions) => Promise<PublishResult>,
  typeof usePublish
>;

/** The hooks and the provider of `sealwire/react`, as `createHooks()` returns them. */
export interface Hooks<M extends ChannelMap<M> = any> {
  /** Subscribes to a channel of the map while the component is mounted and visible. */
  useChannel: UseChannel<M>;
  /** Returns a function that publishes to a channel of the map. */
  usePublish: UsePublish<M>;
  /** Shows the members of a channel, and makes the page one of them. */
  usePresence: typeof usePresence;
  /** Returns the client that the hooks use in this component. */
  useRealtime: () => Realtime<M>;
  /** Returns the state of the connection. */
  useRealtimeState: () => ConnectionState;
  /** Provides another client than that of the page to the hooks below it. */
  RealtimeProvider: (props: RealtimeProviderProps<M>) => ReactElement;
}

/**
 * Returns the hooks with the types of a channel map. They are the same functions as the exports of this module, so an app
 * calls it once, while a module loads, and imports the hooks from there.
 *
 * @typeParam M - The app's channel map.
 * @returns The hooks and the provider.
 *
 * @example
 * ```ts
 * export const { useChannel, usePublish } = createHooks<{ notes: Note; poll: Vote }>();
 * ```
 */
export function createHooks<M extends ChannelMap<M> = any>(): Hooks<M> {
  return { useChannel, usePublish, usePresence, useRealtime, useRealtimeState, RealtimeProvider } as Hooks<M>;
}
