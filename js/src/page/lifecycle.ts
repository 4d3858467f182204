// Watches the lifecycle and the network of the page for the core: pauses it while attempts to connect make no sense, and
// wakes it when they do again.

import type { PauseReason } from '../core/browser-core.js';

/** The time after which a hidden page does not reconnect by itself once its connection is lost. */
const HIDDEN_PAUSE_MS = 5 * 60_000;

export interface Pausable {
  pause(reason: PauseReason): void;
  wake(): void;
}

/** Returns a function that stops watching. Does nothing if there is no page. */
export function watchLifecycle(client: Pausable): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {};
  const { signal, abort } = abortable();
  let hidden: ReturnType<typeof setTimeout> | undefined;

  const back = () => (navigator.onLine === false ? client.pause('offline') : client.wake());
  const watchVisibility = () => {
    clearTimeout(hidden);
    if (document.visibilityState !== 'hidden') return false;
    hidden = setTimeout(() => client.pause('hidden'), HIDDEN_PAUSE_MS);
    return true;
  };

  window.addEventListener('online', () => client.wake(), { signal });
  window.addEventListener('offline', () => client.pause('offline'), { signal });
  document.addEventListener('visibilitychange', () => watchVisibility() || back(), { signal });
  document.addEventListener('freeze', () => client.pause('frozen'), { signal });
  document.addEventListener('resume', back, { signal });
  // The browser keeps a page in its back/forward cache and restores it.
  window.addEventListener('pagehide', (event) => event.persisted && client.pause('frozen'), { signal });
  window.addEventListener('pageshow', (event) => event.persisted && back(), { signal });

  watchVisibility();
  if (navigator.onLine === false) client.pause('offline');
  return () => {
    clearTimeout(hidden);
    abort();
  };
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
