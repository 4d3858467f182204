// Records everything that clients send to a relay, and reads it as the relay does: HTTP, unmasked frames, and tokens.

/** Returns the payloads of the WebSocket frames in `bytes`, without their masks. */
function* frames(bytes) {
  let rest = bytes;
  while (rest.length >= 6) {
    const short = rest[1] & 127;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const length =
      extended === 0 ? short : extended === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    const start = 2 + extended + 4;
    if (rest.length < start + length) return;
    const mask = rest.subarray(start - 4, start);
    yield Buffer.from(rest.subarray(start, start + length).map((byte, index) => byte ^ mask.at(index % 4)));
    rest = rest.subarray(start + length);
  }
}

/** Returns the decoded parts of the tokens in a text. */
function tokenParts(text) {
  const tokens = text.match(/[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/g) ?? [];
  return tokens.flatMap((token) =>
    token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1')),
  );
}

export function capture() {
  const connections = new Map();
  return {
    record: (connection, bytes) =>
      connections.set(connection, Buffer.concat([connections.get(connection) ?? Buffer.alloc(0), bytes])),
    /** Returns every text that the relay can read in what it received, in Latin-1, whose bytes are those of UTF-8. */
    texts() {
      const texts = [];
      for (const bytes of connections.values()) {
        const end = bytes.indexOf('\r\n\r\n') + 4;
        const head = bytes.subarray(0, end).toString('latin1');
        const isSocket = /upgrade: websocket/i.test(head);
        const payloads = isSocket ? [...frames(bytes.subarray(end))] : [bytes];
        texts.push(head, ...payloads.map((payload) => payload.toString('latin1')));
      }
      return texts.flatMap((text) => [text, ...tokenParts(text)]);
    },
  };
}
