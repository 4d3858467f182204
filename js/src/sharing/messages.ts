// The messages between the frames of a page. They carry sealed frames of the wire unchanged, and never a key or plaintext.
// Frames with different versions of this package exchange them, so their types are a format.

import type { Failure, Transport } from '../transport/socket.js';
import type { PageLocks } from './locks.js';

/** A message on the channel of the page. */
export type ToPage =
  | { type: 'leads' }
  /** A frame requests a slot. All further messages about it use a separate channel of this name. */
  | { type: 'asks'; name: string };

/** A message to one follower, on its channel. `taken` grants a slot. */
export type ToFollower =
  | { type: 'taken' }
  | { type: 'full' }
  | { type: 'open'; transport?: Transport | undefined }
  | { type: 'frame'; data: unknown }
  | { type: 'closed'; code: number; failure?: Failure | undefined };

/** A message from one follower, on its channel. */
export type ToLeader = { type: 'frame'; data: ArrayBuffer } | { type: 'close'; code?: number | undefined };

/** The part of BroadcastChannel that sharing uses. */
export interface Channel {
  onmessage: ((event: { data: any }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** The browser features that sharing uses. Tests replace them. */
export interface Browser {
  locks: Pick<PageLocks, 'request'>;
  /** Returns a name that no other frame of the page has. */
  newName(): string;
  channel(name: string): Channel;
  /** Adds a listener for the moment before the page is frozen or left. Returns a function that removes it. */
  onLeave(listener: () => void): () => void;
}
