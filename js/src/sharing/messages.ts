// What the frames of a page say to each other. Frames of the wire pass sealed as they are: keys and plaintext never do.

import type { Failure, Transport } from '../transport/socket.js';
import type { PageLocks } from './locks.js';

/** On the channel of the page. */
export type ToPage =
  | { type: 'leads' }
  /** A frame asks for a place; everything else about it goes over a channel of its own by this name. */
  | { type: 'asks'; name: string };

/** On the channel of one follower, in both directions. */
export type ToFollower =
  | { type: 'taken' }
  | { type: 'full' }
  | { type: 'open'; transport?: Transport | undefined }
  | { type: 'frame'; data: unknown }
  | { type: 'closed'; code: number; failure?: Failure | undefined };

export type ToLeader = { type: 'frame'; data: ArrayBuffer } | { type: 'close'; code?: number | undefined };

/** What is used of a channel. */
export interface Channel {
  onmessage: ((event: { data: any }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** What is used of the browser; tests bring their own. */
export interface Browser {
  locks: Pick<PageLocks, 'request'>;
  /** A name that no other frame of the page has. */
  newName(): string;
  channel(name: string): Channel;
  /** The page is about to be frozen, or is left. The function that it returns ends it. */
  onLeave(listener: () => void): () => void;
}
