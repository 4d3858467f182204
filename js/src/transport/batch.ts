// Several messages in one of the WebSocket's: the frames of RFC 6455 that they would have been otherwise, one after the
// other. The relay makes such batches for who offers this subprotocol.

/** What to offer to a relay, the first that it knows is taken. */
export const subprotocols = (protocol: string): string[] => [`${protocol}.batched`, protocol];

/** The first byte of a batch; no message begins with it. */
const BINARY = 0x82;

/** Where a message and the frame round it are: the frame ends with the message. */
interface Place {
  frame: number;
  message: number;
  end: number;
}

/** The messages in what a WebSocket brought: those of a batch, or the one that it is. A broken batch ends where it breaks. */
export function* messagesIn(bytes: Uint8Array<ArrayBuffer>): Generator<Place> {
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
