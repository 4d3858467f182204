// What sharing takes of the browser: Web Locks, BroadcastChannel, and a name for the page.

import type { Browser, Channel } from './messages.js';
import { pageName } from './page.js';

/** Undefined where the browser lacks any of it. */
export function browserOf(): Browser | undefined {
  if (typeof document === 'undefined' || typeof BroadcastChannel === 'undefined') return undefined;
  const locks = globalThis.navigator?.locks as LockManager | undefined;
  const page = locks && pageName();
  if (!page) return undefined;
  return {
    page,
    locks,
    channel: (name) => new BroadcastChannel(name) as unknown as Channel,
    onLeave: (listener) => {
      document.addEventListener('freeze', listener);
      window.addEventListener('pagehide', listener);
      return () => {
        document.removeEventListener('freeze', listener);
        window.removeEventListener('pagehide', listener);
      };
    },
  };
}
