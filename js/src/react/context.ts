// Which connection the hooks use: the page's own unless a provider names another.

import { createContext, createElement, useContext, type ReactElement, type ReactNode } from 'react';

import type { Realtime } from '../browser/types.js';
import { realtime } from '../index.js';
import { processWide } from '../process-wide.js';

const RealtimeContext = /* @__PURE__ */ processWide('RealtimeContext', () =>
  createContext<Realtime>(realtime),
);

export interface RealtimeProviderProps {
  /** From createRealtime(), or from a test relay of sealwire/testing. */
  realtime: Realtime;
  children?: ReactNode;
}

/** Gives the hooks below it another connection than the page's default one. */
export function RealtimeProvider(props: RealtimeProviderProps): ReactElement {
  return createElement(RealtimeContext.Provider, { value: props.realtime }, props.children);
}

/** The connection that the hooks use here. */
export function useRealtime(): Realtime {
  return useContext(RealtimeContext);
}
