// This gadget's connection to Sealwire. `import { realtime } from 'sealwire'` would do too; an instance of its own lets the
// gadget follow the state of the connection.
import { useSyncExternalStore } from 'react';
import { createRealtime, Jira } from 'sealwire';

const listeners = new Set<() => void>();

export const realtime = createRealtime({ onState: () => listeners.forEach((listener) => listener()) });

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
