// Decodes the relay's messages with the protocol's .proto file. It needs no key, so any relay can read the same.
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const CONTRACT = fileURLToPath(
  new URL('../../../../protocol/proto/sealwire/v1/realtime.proto', import.meta.url),
);

const root = await protobuf.load(CONTRACT);
const types = {
  'to-relay': root.lookupType('sealwire.v1.ToRelay'),
  'to-client': root.lookupType('sealwire.v1.ToClient'),
};

/** @typedef {'to-relay' | 'to-client'} Direction */

/**
 * @param {Direction} direction
 * @param {Uint8Array} bytes one WebSocket message
 * @returns {{ kind: string, fields: Record<string, any> } | undefined} `kind` is the name of the message in the .proto file
 */
export function decodeFrame(direction, bytes) {
  const type = types[direction];
  try {
    const message = /** @type {Record<string, any>} */ (type.decode(bytes));
    const field = /** @type {string | undefined} */ (message.message);
    if (!field) return undefined;
    return { kind: field[0].toUpperCase() + field.slice(1), fields: message[field] };
  } catch {
    return undefined;
  }
}

/**
 * Splits a sealed message into its readable head (version, key id and nonce) and its ciphertext.
 * @param {Uint8Array} sealed
 */
export function partsOfSealed(sealed) {
  const hex = Buffer.from(sealed).toString('hex');
  return {
    version: hex.slice(0, 2),
    keyId: hex.slice(2, 10),
    nonce: hex.slice(10, 58),
    ciphertext: hex.slice(58),
    size: sealed.length,
  };
}

/**
 * Returns the claims of a JWT, which are signed but not encrypted.
 * @param {string} token
 * @returns {Record<string, any>}
 */
export function claimsOf(token) {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return {};
  }
}
