// useRealtimeState(): the state of the connection.

import { useCallback, useSyncExternalStore } from 'react';

import type { ConnectionState } from '../core/browser-core.js';
import { useRealtime } from './context.js';

/**
 * Returns the state of the connection, and renders the component again with every change.
 *
 * @returns The current state.
 *
 * @example
 * ```tsx
 * const isOffline = useRealtimeState() !== 'connected';
 * ```
 */
export function useRealtimeState(): ConnectionState {
  const realtime = useRealtime();
  const subscribe = useCallback((changed: () => void) => realtime.onStateChange(changed), [realtime]);
  const state = useCallback(() => realtime.state, [realtime]);
  return useSyncExternalStore(subscribe, state, state);
}
