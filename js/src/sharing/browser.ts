// The browser features that sharing needs: the object that the frames of a page share, and the events of this frame's end.

import { PageLocks } from './locks.js';
import type { Browser } from './messages.js';
import { PageChannel } from './page-channel.js';
import { pageOf } from './page.js';

let known: Browser | undefined;

/** Returns undefined if there is no page, or if its frames are not accessible. */
export function browserOf(): Browser | undefined {
  if (typeof window === 'undefined' || typeof document === 'undefined') return undefined;
  if (typeof structuredClone !== 'function') return undefined;
  return (known ??= browserIn(window, document));
}

function browserIn(window: Window, document: Document): Browser | undefined {
  const page = pageOf(window);
  if (!page) return undefined;
  const locks = new PageLocks(page, document);
  const listeners = new Set<() => void>();
  const leave = () => {
    for (const listener of [...listeners]) listener();
    // The release is synchronous, since a removed frame runs no more microtasks.
    locks.releaseAll();
  };
  document.addEventListener('freeze', leave);
  window.addEventListener('pagehide', leave);
  return {
    locks,
    newName: () => `follower/${(page.names += 1)}`,
    channel: (name) => new PageChannel(page, document, name),
    onLeave: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
