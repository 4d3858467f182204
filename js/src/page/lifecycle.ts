// Watches the lifecycle and the network of the page for the core: pauses it while attempts to connect make no sense, and
// wakes it when they do again.

import type { PauseReason } from '../core/browser-core.js';

/** The time after which a hidden page does not reconnect by itself once its connection is lost. */
const HIDDEN_PAUSE_MS = 5 * 60_000;
/** The interval at which a worker without events of the network reads its state. */
const NETWORK_POLL_MS = 1_000;

export interface Pausable {
  pause(reason: PauseReason): void;
  wake(): void;
}

/**
 * Returns a function that stops watching. In a web worker it watches the network only, and in an environment without a
 * network state, such as Node.js, nothing.
 */
export function watchLifecycle(client: Pausable): () => void {
  if (typeof navigator === 'undefined' || typeof navigator.onLine !== 'boolean') return () => {};
  const controller = new AbortController();
  const { signal } = controller;
  const back = () => (navigator.onLine ? client.wake() : client.pause('offline'));
  const isPage = typeof window !== 'undefined' && typeof document !== 'undefined';

  if (isPage || 'ononline' in globalThis) {
    const scope = isPage ? window : globalThis;
    scope.addEventListener('online', () => client.wake(), { signal });
    scope.addEventListener('offline', () => client.pause('offline'), { signal });
  } else {
    pollNetwork(back, signal);
  }
  if (isPage) watchPage(client, back, signal);
  if (!navigator.onLine) client.pause('offline');
  return () => controller.abort();
}

/** Reads the state of the network at an interval, since Chromium dispatches no events about it in web workers. */
function pollNetwork(changed: () => void, signal: AbortSignal): void {
  let known = navigator.onLine;
  const timer = setInterval(() => {
    if (navigator.onLine === known) return;
    known = navigator.onLine;
    changed();
  }, NETWORK_POLL_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
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
