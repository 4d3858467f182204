// Reads WebSocket frames (RFC 6455, section 5) from a byte stream that arrives in pieces, and joins fragments to messages.

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** @typedef {{ opcode: number, payload: Buffer }} Message `payload` is unmasked */

export class FrameReader {
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);
  /** @type {{ opcode: number, parts: Buffer[] } | undefined} */
  #fragments;

  /**
   * @param {Buffer} bytes the next piece of the stream
   * @returns {Message[]} the messages that this piece completes
   */
  push(bytes) {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    /** @type {Message[]} */
    const messages = [];
    for (let frame = this.#take(); frame; frame = this.#take()) {
      const message = this.#join(frame);
      if (message) messages.push(message);
    }
    return messages;
  }

  #take() {
    const rest = this.#rest;
    if (rest.length < 2) return undefined;
    const masked = (rest[1] & 0x80) !== 0;
    let length = rest[1] & 0x7f;
    let at = 2;
    if (length === 126) {
      if (rest.length < 4) return undefined;
      length = rest.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (rest.length < 10) return undefined;
      length = Number(rest.readBigUInt64BE(2));
      at = 10;
    }
    const start = masked ? at + 4 : at;
    if (rest.length < start + length) return undefined;

    const payload = Buffer.from(rest.subarray(start, start + length));
    if (masked) {
      for (let i = 0; i < length; i++) payload[i] ^= rest[at + (i % 4)];
    }
    this.#rest = rest.subarray(start + length);
    return { final: (rest[0] & 0x80) !== 0, opcode: rest[0] & 0x0f, payload };
  }

  /**
   * @param {{ final: boolean, opcode: number, payload: Buffer }} frame
   * @returns {Message | undefined}
   */
  #join({ final, opcode, payload }) {
    // Control frames may arrive between the fragments of a message.
    if (opcode >= OPCODE.close) return { opcode, payload };
    if (opcode !== OPCODE.continuation) this.#fragments = { opcode, parts: [] };
    if (!this.#fragments) return undefined;
    this.#fragments.parts.push(payload);
    if (!final) return undefined;
    const message = { opcode: this.#fragments.opcode, payload: Buffer.concat(this.#fragments.parts) };
    this.#fragments = undefined;
    return message;
  }
}
