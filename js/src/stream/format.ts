// A stream of text on a channel: a convention inside payloads, described in docs/streams.md. The relay knows nothing of it.

const MARK = 'sealwire.stream';

/** One message of a stream. */
export interface StreamMessage {
  /** Tells streams on one channel apart. */
  id: string;
  /** Tells attempts at the same stream apart: a queue consumer that is run again begins again. */
  run: string;
  /** From 0, one more with each message. */
  seq: number;
  text: string;
  /** Nothing follows. */
  end?: true;
  /** Nothing follows, because the publisher failed. */
  error?: { code: string; message: string };
}

export function toPayload(message: StreamMessage): object {
  return { [MARK]: message };
}

/** Undefined for what is no message of a stream: a channel may carry other messages too. */
export function fromPayload(payload: unknown): StreamMessage | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const message = (payload as Record<string, unknown>)[MARK] as Partial<StreamMessage> | null | undefined;
  if (typeof message !== 'object' || message === null) return undefined;
  const { id, run, seq, text, error } = message;
  const holds =
    typeof id === 'string' &&
    typeof run === 'string' &&
    Number.isSafeInteger(seq) &&
    typeof text === 'string' &&
    (error === undefined || (typeof error?.code === 'string' && typeof error.message === 'string'));
  return holds ? (message as StreamMessage) : undefined;
}
