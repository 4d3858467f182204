// A gadget's session with Sealwire. `import { realtime } from 'sealwire'` would be enough for publish and subscribe; a separate
// instance lets the gadget choose the core and show the state of the connection. The gadgets of a page share one WebSocket,
// which is the default of `share`, and each has a session of its own on it.
import { useSyncExternalStore } from 'react';
import { createRealtime, Jira } from 'sealwire';

const listeners = new Set<() => void>();

/** The build of the core: WebAssembly if VITE_SEALWIRE_CORE is `wasm`, which needs `unsafe-eval` in the manifest. */
const core: 'wasm' | undefined = import.meta.env.VITE_SEALWIRE_CORE === 'wasm' ? 'wasm' : undefined;

export const realtime = createRealtime({
  core,
  onState: () => listeners.forEach((listener) => listener()),
});

/**
 * The channels are shared by all users of a dashboard, and by both gadgets on it. Without `contextOverrides`, each gadget on a
 * dashboard would have separate channels.
 */
export const ABSENCES = 'absences';
export const ROTATION = 'rotation';
export const HINTS = 'hints';
export const LOOKERS = 'lookers';
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
