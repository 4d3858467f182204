// The types of streams, on both sides.

import type { PublishOptions } from '../backend/types.js';
import type { SubscriptionOptions } from '../browser/types.js';

/** Messages of a stream that were missed. */
export interface StreamGap {
  /** How many. Text between what came before and what comes next is missing. */
  missing: number;
}

export interface StreamOptions extends Omit<SubscriptionOptions, 'onError' | 'onGap'> {
  /** The stream's id, as its publisher has it. Without one, the first stream that begins on the channel. */
  id?: string;
  /** How far back to look for what the stream said before. By default 30 with an `id`, and 0 without. */
  replaySeconds?: number;
  /** After how long without a message the stream counts as broken off. By default 60. */
  silenceSeconds?: number;
  /** Goes on where messages were missed. Without it, the iterator throws `GAP`. */
  onGap?: (gap: StreamGap) => void;
  /** Goes on from the beginning where the publisher began again. Without it, the iterator throws `STREAM_RESTARTED`. */
  onRestart?: () => void;
  /** Ends it from outside: the iterator throws the signal's reason. */
  signal?: AbortSignal;
}

/**
 * The text of one stream, piece by piece and in order. What came while nobody asked is one piece. To be iterated once:
 * `for await (const text of stream)`. Throws where the publisher failed or something is missing.
 */
export interface TextStream extends AsyncIterableIterator<string> {
  /** Known from the start where it was given. */
  readonly id: string | undefined;
  /** Resolves when the relay has confirmed the subscription: a publisher that starts now is heard from its first word. */
  readonly ready: Promise<void>;
  /** All of it, once it has ended. */
  text: () => Promise<string>;
  /** Ends the iteration and the subscription. Leaving the loop does so too. */
  cancel: () => void;
}

export interface StreamPublishOptions extends Omit<PublishOptions, 'idempotencyId'> {
  /** At most 100 characters. By default a random one. */
  id?: string;
  /** How many messages a second at most; what is written in between goes together. By default 10, at most 50. */
  publishesPerSecond?: number;
}

export interface StreamPublisher {
  readonly id: string;
  /** Resolves when there is room for more: await it, and memory is bounded. Rejects where the stream has broken off. */
  write: (text: string) => Promise<void>;
  /** Publishes what is left and the stream's end. */
  end: () => Promise<void>;
  /** Publishes what is left, and that the stream has failed. Subscribers get the message. */
  fail: (message?: string) => Promise<void>;
}

export type CreateStream = (channel: string, options?: StreamPublishOptions) => StreamPublisher;

/** Publishes text as it comes. Resolves when all of it was published, and rejects with what failed. */
export type PublishStream = (
  channel: string,
  source: AsyncIterable<string> | Iterable<string>,
  options?: StreamPublishOptions,
) => Promise<{ id: string; messages: number }>;
