// Decodes what stands on the wire, by the contract's own .proto file. It needs no key: this is what any relay can read.
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
 * @returns {{ kind: string, fields: Record<string, any> } | undefined} `kind` is the name of the message in the contract
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
 * The public part of a sealed message: version, key id and nonce stand before the ciphertext.
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
 * Claims of a JWT. They are signed, not secret.
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
