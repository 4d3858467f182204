// The format of a text stream: a convention for the payloads of a channel, which docs/streams.md describes. The relay does
// not know it.

const MARK = 'sealwire.stream';

/** One message of a stream. */
export interface StreamMessage {
  /** Identifies the stream among those on the same channel. */
  id: string;
  /** Identifies one attempt to publish the stream: a queue consumer that runs again starts a new attempt. */
  run: string;
  /** The sequence number, which starts at 0. */
  seq: number;
  text: string;
  /** Present in the last message. */
  end?: true;
  /** Present in the last message if the publisher failed. */
  error?: { code: string; message: string };
}

export function toPayload(message: StreamMessage): object {
  return { [MARK]: message };
}

/** Returns undefined for a payload that is not a message of a stream, which a channel may also carry. */
export function fromPayload(payload: unknown): StreamMessage | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const message = (payload as Record<string, unknown>)[MARK] as Partial<StreamMessage> | null | undefined;
  if (typeof message !== 'object' || message === null) return undefined;
  const { id, run, seq, text, error } = message;
  const isValid =
    typeof id === 'string' &&
    typeof run === 'string' &&
    Number.isSafeInteger(seq) &&
    typeof text === 'string' &&
    (error === undefined || (typeof error?.code === 'string' && typeof error.message === 'string'));
  return isValid ? (message as StreamMessage) : undefined;
}
