// useRealtimeState: what the connection is doing.

import { useCallback, useSyncExternalStore } from 'react';

import type { ConnectionState } from '../core/browser-core.js';
import { useRealtime } from './context.js';

/** Renders again with every change of the state. */
export function useRealtimeState(): ConnectionState {
  const realtime = useRealtime();
  const subscribe = useCallback((changed: () => void) => realtime.onStateChange(changed), [realtime]);
  const state = useCallback(() => realtime.state, [realtime]);
  return useSyncExternalStore(subscribe, state, state);
}
