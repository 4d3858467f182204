// Keeps every byte to and from the relay, and searches for text in it. It keeps the bytes as sent, and decoded as far as that
// is possible without a key: without WebSocket masks and HTTP chunks, and from base64.

export class Recording {
  /** @type {Map<string, Buffer[]>} the bytes as sent, by stream */
  #wire = new Map();
  /** @type {Buffer[]} */
  #decoded = [];
  /** The number of bytes as sent, in both directions. */
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
  addDecoded(content) {
    this.#decoded.push(typeof content === 'string' ? Buffer.from(content) : Buffer.from(content));
  }

  /**
   * Counts the occurrences of a text, in UTF-8 and with the escapes of JSON.
   * @param {string} text
   */
  count(text) {
    const needles = new Set([text, JSON.stringify(text).slice(1, -1), escapeAll(text)]);
    let found = 0;
    for (const needle of needles) {
      if (needle.length === 0) continue;
      for (const pieces of this.#wire.values()) found += occurrences(Buffer.concat(pieces), needle);
      for (const content of this.#decoded) found += occurrences(content, needle);
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
