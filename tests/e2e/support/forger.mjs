// A member that has all encryption keys of the installation, and can put any certificate and any signature into a message.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  sign,
} from 'node:crypto';
import { publisherThrough } from './backend.mjs';
import { APP } from './relay.mjs';

const integer = (bytes, value) => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer.subarray(8 - bytes);
};
const lp = (...parts) =>
  Buffer.concat(parts.flatMap((part) => [integer(4, Buffer.from(part).length), Buffer.from(part)]));
const derive = (input, info) => Buffer.from(hkdfSync('sha256', input, 'sealwire/v1', info, 32));
const pairsOf = (scope) => {
  const properties = Object.entries(scope).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([integer(4, properties.length), ...properties.map((pair) => lp(...pair))]);
};

/** Returns a new key pair with its public key as a point, and a function that signs with it. */
export function newKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return keyOf(privateKey);
}

function keyOf(privateKey) {
  const { x, y } = privateKey.export({ format: 'jwk' });
  const halves = [x, y].map((half) => Buffer.from(half, 'base64url'));
  return {
    point: Buffer.concat([Buffer.from([4]), ...halves]),
    sign: (text) => sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

/** The content of a certificate and its signature by `issuer`. */
export function certify(issuer, { app = APP, installation, account, key, expiresAt }) {
  const content = Buffer.concat([key.point, integer(8, expiresAt), lp(account)]);
  const text = Buffer.concat([lp('sealwire/certificate/v1', app, installation), content]);
  return Buffer.concat([content, issuer.sign(text)]);
}

function gcmKey(key, nonce) {
  const block = (input) => {
    const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(input), cipher.final()]);
  };
  const l = block(Buffer.alloc(16));
  const k1 = Buffer.alloc(16);
  for (let i = 0; i < 16; i++) k1[i] = (l[i] << 1) | (i < 15 ? l[i + 1] >> 7 : 0);
  if (l[0] & 0x80) k1[15] ^= 0x87;
  const half = (counter) => {
    const input = Buffer.concat([Buffer.from([0, counter, 0x58, 0]), nonce.subarray(0, 12)]);
    return block(input.map((byte, i) => byte ^ k1[i]));
  };
  return Buffer.concat([half(1), half(2)]);
}

function padded(content) {
  const exponent = Math.floor(Math.log2(content.length));
  const step = 2 ** (exponent - (Math.floor(Math.log2(exponent)) + 1));
  return Buffer.concat([content, Buffer.alloc(Math.ceil(content.length / step) * step - content.length)]);
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** Returns the id of the newest encryption key, and the keys and ids of the channels of a scope. */
function channelsOf({ secret, installation, scope }) {
  const place = Buffer.concat([lp(APP, installation), pairsOf(scope)]);
  const encryptionKey = Buffer.from(secret.keys[0].key, 'base64url');
  const scopeKey = derive(encryptionKey, Buffer.concat([lp('scope'), place]));
  return {
    keyId: sha256(lp('sealwire/key-id/v1', encryptionKey)).subarray(0, 4),
    keyOf: (name) => derive(scopeKey, lp('channel', name)),
    idOf: (name) => sha256(Buffer.concat([lp('sealwire/channel/v1'), place, lp('', name)])).subarray(0, 16),
  };
}

/** Returns the signing key of an installation, which certifies. */
function issuerOf(secret) {
  const { d, x, y } = secret.keys[0].signing;
  return keyOf(createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d, x, y }, format: 'jwk' }));
}

/** Seals a message again, with a certificate and a signature behind its payload. */
function resealed({ secret, installation, message, certificate, key, signedChannel }) {
  const sealed = Buffer.from(message.sealed, 'base64');
  const [nonce, body] = [sealed.subarray(5, 29), sealed.subarray(29)];
  const channels = channelsOf({ secret, installation, scope: message.scope });
  const aesKey = gcmKey(channels.keyOf(message.channel), nonce);
  const channelId = channels.idOf;
  const aad = Buffer.concat([lp('sealwire/message/v1'), channelId(message.channel), lp(message.event)]);
  const decipher = createDecipheriv('aes-256-gcm', aesKey, nonce.subarray(12));
  decipher.setAAD(aad).setAuthTag(body.subarray(-16));
  const plaintext = Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]);
  const end = 24 + plaintext.readUInt32BE(20);
  const signedText = Buffer.concat([
    lp('sealwire/signature/v1'),
    channelId(signedChannel ?? message.channel),
    nonce.subarray(0, 12),
    plaintext.subarray(8, 12),
    plaintext.subarray(0, 8),
    lp(message.event, plaintext.subarray(24, end)),
  ]);
  const author = [Buffer.from([2]), certificate, key.sign(signedText)];
  const cipher = createCipheriv('aes-256-gcm', aesKey, nonce.subarray(12));
  cipher.setAAD(aad);
  const ciphertext = cipher.update(padded(Buffer.concat([plaintext.subarray(0, end), ...author])));
  cipher.final();
  return Buffer.concat([sealed.subarray(0, 29), ciphertext, cipher.getAuthTag()]).toString('base64');
}

/**
 * Returns a function that seals an entry of the presence 'board' in the scope of a session, with the certificate and the key that
 * `identity({ issuer, installation })` returns. It resolves with `{ member, number, sealed }`, the bytes as arrays. Without an
 * identity, the entry is unsigned. `signedMember` is the member in the signature, by default that of the entry.
 */
export function entryForgerIn(system, { installation, context }) {
  return async ({ account, data, identity, signedMember }) => {
    const secret = await system.secrets.read(installation);
    const channels = channelsOf({ secret, installation, scope: context });
    const [nonce, member] = [randomBytes(24), randomBytes(16)];
    const now = Date.now();
    const placeOf = (id) => Buffer.concat([channels.idOf('board'), id, integer(8, now)]);
    const content = Buffer.concat([integer(8, now), integer(8, now), lp(account, JSON.stringify(data))]);
    const parts = [content];
    if (identity) {
      const { key, certificate } = identity({ issuer: issuerOf(secret), installation });
      const place = placeOf(signedMember ?? member);
      const text = Buffer.concat([lp('sealwire/presence-signature/v1'), place, content]);
      parts.push(Buffer.from([2]), certificate, key.sign(text));
    }
    const cipher = createCipheriv('aes-256-gcm', gcmKey(channels.keyOf('board'), nonce), nonce.subarray(12));
    cipher.setAAD(Buffer.concat([lp('sealwire/presence/v1'), placeOf(member)]));
    const ciphertext = cipher.update(padded(Buffer.concat(parts)));
    cipher.final();
    const header = [Buffer.from([1]), channels.keyId, nonce];
    const sealed = Buffer.concat([...header, ciphertext, cipher.getAuthTag()]);
    return { member: [...member], number: now, sealed: [...sealed] };
  };
}

/**
 * Returns a function that publishes a payload on 'absences' of dashboard 10001 with the certificate and the key that
 * `identity({ issuer, installation })` returns. `issuer` has the signing key of the installation.
 */
export function forgerIn(system) {
  let [secret, installation, identity] = [];
  const secrets = {
    read: async (wanted) => {
      installation = wanted;
      secret = await system.secrets.read(wanted);
      return secret;
    },
  };
  const forge = (address, init) => {
    const { messages } = JSON.parse(init.body);
    const issuer = issuerOf(secret);
    for (const message of messages) {
      const forged = identity({ issuer, installation });
      message.sealed = resealed({ secret, installation, message, ...forged });
    }
    return fetch(address, { ...init, body: JSON.stringify({ messages }) });
  };
  const publish = publisherThrough(system, forge, secrets);
  return (payload, as) => {
    identity = as;
    return publish(payload);
  };
}
