// Reads HTTP/1.1 messages from a byte stream that arrives in pieces. After a switch to WebSocket, the caller takes the rest
// of the stream.

/** @typedef {{ startLine: string, headers: Map<string, string>, body: Buffer }} HttpMessage */

const HEAD_END = Buffer.from('\r\n\r\n');

export class HttpReader {
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);

  /**
   * @param {Buffer} bytes the next piece of the stream
   * @returns {HttpMessage | undefined} a complete message; call again without an argument for the next one
   */
  push(bytes = Buffer.alloc(0)) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const headEnd = this.#rest.indexOf(HEAD_END);
    if (headEnd < 0) return undefined;

    const [startLine, ...lines] = this.#rest.subarray(0, headEnd).toString('latin1').split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const after = this.#rest.subarray(headEnd + HEAD_END.length);
    const body =
      headers.get('transfer-encoding') === 'chunked' ? chunkedBody(after) : sizedBody(after, headers);
    if (!body) return undefined;
    this.#rest = after.subarray(body.length);
    return { startLine, headers, body: body.content };
  }

  /** Returns the bytes after the last message. */
  takeRest() {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }
}

/**
 * @param {Buffer} bytes
 * @param {Map<string, string>} headers
 */
function sizedBody(bytes, headers) {
  const length = Number(headers.get('content-length') ?? 0);
  return bytes.length < length ? undefined : { length, content: bytes.subarray(0, length) };
}

/** @param {Buffer} bytes */
function chunkedBody(bytes) {
  const parts = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    const start = lineEnd + 2;
    if (bytes.length < start + size + 2) return undefined;
    at = start + size + 2;
    if (size === 0) return { length: at, content: Buffer.concat(parts) };
    parts.push(bytes.subarray(start, start + size));
  }
}
