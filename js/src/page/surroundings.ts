// Watches the page and its network for the core: when attempts to connect make no sense, and when everything that waits
// is to be tried at once.

import type { PauseReason } from '../core/browser-core.js';

/** A page that nobody has looked at for so long does not come back by itself once its connection is lost. */
const HIDDEN_MS = 5 * 60_000;

export interface Sleeper {
  pause(reason: PauseReason): void;
  wake(): void;
}

/** The function that it returns ends it. Does nothing where there is no page. */
export function watchSurroundings(sleeper: Sleeper): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {};
  const { signal, abort } = abortable();
  let hidden: ReturnType<typeof setTimeout> | undefined;

  const back = () => (navigator.onLine === false ? sleeper.pause('offline') : sleeper.wake());
  const watchVisibility = () => {
    clearTimeout(hidden);
    if (document.visibilityState !== 'hidden') return false;
    hidden = setTimeout(() => sleeper.pause('hidden'), HIDDEN_MS);
    return true;
  };

  window.addEventListener('online', () => sleeper.wake(), { signal });
  window.addEventListener('offline', () => sleeper.pause('offline'), { signal });
  document.addEventListener('visibilitychange', () => watchVisibility() || back(), { signal });
  document.addEventListener('freeze', () => sleeper.pause('frozen'), { signal });
  document.addEventListener('resume', back, { signal });
  // A page that is put aside and taken out again by the browser's back button.
  window.addEventListener('pagehide', (event) => event.persisted && sleeper.pause('frozen'), { signal });
  window.addEventListener('pageshow', (event) => event.persisted && back(), { signal });

  watchVisibility();
  if (navigator.onLine === false) sleeper.pause('offline');
  return () => {
    clearTimeout(hidden);
    abort();
  };
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
