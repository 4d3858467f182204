// Batches: several messages in one message of the WebSocket, as the consecutive frames of RFC 6455 that they would have been
// otherwise. The relay sends batches to a client that offers this subprotocol.

/** Returns the subprotocols to offer to a relay, which selects the first one that it knows. */
export const subprotocols = (protocol: string): string[] => [`${protocol}.batched`, protocol];

/** The first byte of a batch. No message begins with it. */
const BINARY = 0x82;

/** The start of a frame, the start of the message inside it, and the end of both. */
interface MessageRange {
  frame: number;
  message: number;
  end: number;
}

/** Returns the messages in the data of a WebSocket: those of a batch, or the only one. A broken batch ends at the fault. */
export function* messagesIn(bytes: Uint8Array<ArrayBuffer>): Generator<MessageRange> {
  if (bytes[0] !== BINARY) return yield { frame: 0, message: 0, end: bytes.length };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let frame = 0; frame < bytes.length;) {
    const short = bytes[frame + 1] ?? 0;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    const message = frame + header;
    if (bytes[frame] !== BINARY || message > bytes.length) return;
    const length =
      header === 2 ? short : header === 4 ? view.getUint16(frame + 2) : Number(view.getBigUint64(frame + 2));
    const end = message + length;
    if (end > bytes.length) return;
    yield { frame, message, end };
    frame = end;
  }
}
