// The types of realtime.stream().

import type { SubscriptionOptions } from './subscription-types.js';

/** A number of messages of a text stream that were missed. */
export interface StreamGap {
  /** The number of messages. The text between the piece before and the piece after is missing. */
  missing: number;
}

/** The options of `realtime.stream()`. */
export interface StreamOptions extends Omit<SubscriptionOptions, 'onError' | 'onGap'> {
  /** The id that the publisher gave the stream. The default is the first stream that begins on the channel. */
  id?: string;
  /** Also reads messages up to this many seconds old, 0 to 120. The default is 30 with an `id`, and 0 without. */
  replaySeconds?: number;
  /** The number of seconds without a message after which the stream fails with `STREAM_SILENT`. The default is 60. */
  silenceSeconds?: number;
  /** Continues after missed messages. Without it, the iterator throws `GAP`. */
  onGap?: (gap: StreamGap) => void;
  /** Continues from the beginning if the publisher restarts. Without it, the iterator throws `STREAM_RESTARTED`. */
  onRestart?: () => void;
  /** Cancels the stream: the iterator throws the signal's reason. */
  signal?: AbortSignal;
}

/**
 * The text of one stream, piece by piece and in order. Text that arrives between two reads forms one piece. A stream can be
 * iterated once. The iterator throws a SealwireError if the publisher failed or if messages are missing.
 *
 * @example
 * ```ts
 * for await (const text of realtime.stream('answers', { id })) output.append(text);
 * ```
 */
export interface TextStream extends AsyncIterableIterator<string> {
  /** The id of the stream; undefined until the first message if the options name no id. */
  readonly id: string | undefined;
  /** Resolves once the relay has confirmed the subscription. A publisher that starts afterwards is heard completely. */
  readonly ready: Promise<void>;
  /** Reads to the end and returns the whole text. */
  text: () => Promise<string>;
  /** Ends the iteration and the subscription. Leaving the `for await` loop has the same effect. */
  cancel: () => void;
}
