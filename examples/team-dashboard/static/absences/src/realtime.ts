// This gadget's connection to Sealwire. `import { realtime } from 'sealwire'` would do too; an instance of its own lets the
// gadget follow the state of the connection.
import { useSyncExternalStore } from 'react';
import { createRealtime, Jira } from 'sealwire';

const listeners = new Set<() => void>();

/** Sealwire runs as plain JavaScript on a page of Forge; as WebAssembly where the manifest has `unsafe-eval` and this is set. */
const core: 'wasm' | undefined = import.meta.env.VITE_SEALWIRE_CORE === 'wasm' ? 'wasm' : undefined;

export const realtime = createRealtime({
  core,
  onState: () => listeners.forEach((listener) => listener()),
});

/**
 * Everybody who looks at the same dashboard shares these channels, whichever copy of the gadget they use. Without
 * `contextOverrides` two copies on one dashboard would be strangers to each other.
 */
export const ABSENCES = 'absences';
export const PRESENCE = 'presence';
export const ON_THIS_DASHBOARD = { contextOverrides: [Jira.Dashboard] };

export function useConnectionState() {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => realtime.state,
  );
}
