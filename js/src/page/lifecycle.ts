// Watches the lifecycle and the network of the page for the core: pauses it while attempts to connect make no sense, and
// wakes it when they do again.

import type { PauseReason } from '../core/browser-core.js';

/** The time after which a hidden page does not reconnect by itself once its connection is lost. */
const HIDDEN_PAUSE_MS = 5 * 60_000;

export interface Pausable {
  pause(reason: PauseReason): void;
  wake(): void;
}

/**
 * Returns a function that stops watching. A web worker has the events of the network only; in an environment without these,
 * such as Node.js, it does nothing.
 */
export function watchLifecycle(client: Pausable): () => void {
  const scope = typeof window === 'undefined' ? globalThis : window;
  if (typeof navigator === 'undefined' || typeof scope.addEventListener !== 'function') return () => {};
  const controller = new AbortController();
  const { signal } = controller;
  const back = () => (navigator.onLine === false ? client.pause('offline') : client.wake());

  scope.addEventListener('online', () => client.wake(), { signal });
  scope.addEventListener('offline', () => client.pause('offline'), { signal });
  if (typeof window !== 'undefined' && typeof document !== 'undefined') watchPage(client, back, signal);
  if (navigator.onLine === false) client.pause('offline');
  return () => controller.abort();
}

/** Watches the visibility of a page, and the browser's freezing and caching of it. */
function watchPage(client: Pausable, back: () => void, signal: AbortSignal): void {
  let hidden: ReturnType<typeof setTimeout> | undefined;
  const watchVisibility = () => {
    clearTimeout(hidden);
    if (document.visibilityState !== 'hidden') return false;
    hidden = setTimeout(() => client.pause('hidden'), HIDDEN_PAUSE_MS);
    return true;
  };

  document.addEventListener('visibilitychange', () => watchVisibility() || back(), { signal });
  document.addEventListener('freeze', () => client.pause('frozen'), { signal });
  document.addEventListener('resume', back, { signal });
  // The browser keeps a page in its back/forward cache and restores it.
  window.addEventListener('pagehide', (event) => event.persisted && client.pause('frozen'), { signal });
  window.addEventListener('pageshow', (event) => event.persisted && back(), { signal });
  signal.addEventListener('abort', () => clearTimeout(hidden));
  watchVisibility();
}
