// A socket that records its calls. A test dispatches events through the handlers.

import type { Socket } from '../../src/transport/socket.js';

export class FakeSocket implements Socket {
  binaryType = '';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  /** The sent messages, in hex. */
  readonly sent: string[] = [];
  isClosed = false;
  closeCode: number | undefined;

  send(bytes: Uint8Array): void {
    this.sent.push(Buffer.from(bytes).toString('hex'));
  }

  close(code?: number): void {
    this.isClosed = true;
    this.closeCode = code;
  }

  /** Delivers a message of the relay. */
  receive(...bytes: number[]): void {
    this.onmessage?.({ data: new Uint8Array(bytes).buffer });
  }
}
