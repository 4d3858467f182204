// Keeps every byte that passed the relay, as it stood on the wire and undone as far as anybody can without a key:
// WebSocket masks and HTTP chunks taken off, base64 decoded. Then looks for text in it.

export class Recording {
  /** @type {Map<string, Buffer[]>} by stream */
  #wire = new Map();
  /** @type {Buffer[]} */
  #opened = [];
  /** Bytes on the wire, both directions together. */
  bytes = 0;

  /**
   * @param {string} stream one direction of one connection
   * @param {Buffer} bytes
   */
  addWire(stream, bytes) {
    const pieces = this.#wire.get(stream);
    if (pieces) pieces.push(bytes);
    else this.#wire.set(stream, [bytes]);
    this.bytes += bytes.length;
  }

  /** @param {Uint8Array | string} content */
  addOpened(content) {
    this.#opened.push(typeof content === 'string' ? Buffer.from(content) : Buffer.from(content));
  }

  /**
   * How often a text occurs, as UTF-8 and as JSON writes it with escapes.
   * @param {string} text
   */
  count(text) {
    const needles = new Set([text, JSON.stringify(text).slice(1, -1), escapeAll(text)]);
    let found = 0;
    for (const needle of needles) {
      if (needle.length === 0) continue;
      for (const pieces of this.#wire.values()) found += occurrences(Buffer.concat(pieces), needle);
      for (const content of this.#opened) found += occurrences(content, needle);
    }
    return found;
  }
}

/** @param {string} text */
const escapeAll = (text) =>
  text.replace(/[^\x20-\x7e]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * @param {Buffer} haystack
 * @param {string} needle
 */
function occurrences(haystack, needle) {
  let count = 0;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) count += 1;
  return count;
}
