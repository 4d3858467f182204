// The client that the hooks use: that of the page, unless a provider names another.

import { createContext, createElement, useContext, type ReactElement, type ReactNode } from 'react';

import type { Realtime } from '../browser/types.js';
import type { ChannelMap } from '../channel-map.js';
import { realtime } from '../index.js';
import { processWide } from '../process-wide.js';

const RealtimeContext = /* @__PURE__ */ processWide('RealtimeContext', () =>
  createContext<Realtime>(realtime),
);

/** The properties of RealtimeProvider. */
export interface RealtimeProviderProps<M extends ChannelMap<M> = any> {
  /** A client from `createRealtime()`, or from a test relay of `sealwire/testing`. */
  realtime: Realtime<M>;
  /** The components that use the client. */
  children?: ReactNode;
}

/**
 * Provides another client than that of the page to the hooks below it.
 *
 * @param props - The client and the children.
 * @returns The element.
 *
 * @example
 * ```tsx
 * <RealtimeProvider realtime={realtime}><Dashboard /></RealtimeProvider>
 * ```
 */
export function RealtimeProvider(props: RealtimeProviderProps): ReactElement {
  return createElement(RealtimeContext.Provider, { value: props.realtime }, props.children);
}

/**
 * Returns the client that the hooks use in this component.
 *
 * @returns The client of the nearest RealtimeProvider, or that of the page.
 */
export function useRealtime(): Realtime {
  return useContext(RealtimeContext);
}
