// Sealwire's derivations, sealing and certificates with Node's crypto alone, for the tests that recompute the vectors.
import { createCipheriv, createDecipheriv, createHash, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const load = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8'));
export const bytes = (hex) => Buffer.from(hex, 'hex');
export const utf8 = (text) => Buffer.from(text, 'utf8');
export const u32 = (value) => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};
export const u64 = (value) => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer;
};
/** Concatenates parts, each with its length in front. */
export const lp = (...parts) =>
  Buffer.concat(parts.flatMap((part) => [u32(Buffer.from(part).length), Buffer.from(part)]));
export const sha256 = (data) => createHash('sha256').update(data).digest();
export const derive = (input, ...info) =>
  Buffer.from(hkdfSync('sha256', input, 'sealwire/v1', lp(...info), 32));
export const sorted = (scope) => Object.entries(scope).sort(([a], [b]) => Buffer.compare(utf8(a), utf8(b)));

/** RFC 8785: JSON as ECMAScript writes it, with keys sorted by UTF-16 code units. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const keys = Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

export function block(key, input) {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(input), cipher.final()]);
}

/** The key of AES-256-GCM in XAES-256-GCM, as C2SP specifies it: CMAC derives it from the first half of the nonce. */
export function gcmKey(key, nonce) {
  const l = block(key, Buffer.alloc(16));
  const k1 = Buffer.alloc(16);
  for (let i = 0; i < 16; i++) k1[i] = (l[i] << 1) | (i < 15 ? l[i + 1] >> 7 : 0);
  if (l[0] & 0x80) k1[15] ^= 0x87;
  const half = (counter) => {
    const input = Buffer.concat([Buffer.from([0, counter, 0x58, 0]), nonce.subarray(0, 12)]);
    return block(
      key,
      input.map((byte, i) => byte ^ k1[i]),
    );
  };
  return Buffer.concat([half(1), half(2)]);
}

export function xaes(key, nonce, aad, plaintext) {
  const cipher = createCipheriv('aes-256-gcm', gcmKey(key, nonce), nonce.subarray(12));
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts, and throws if the tag does not fit. */
export function xaesOpen(key, nonce, aad, sealed) {
  const decipher = createDecipheriv('aes-256-gcm', gcmKey(key, nonce), nonce.subarray(12));
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

export function channelId({ app, installation, scope, claims_tag: tag, name }) {
  const properties = sorted(scope);
  const pairs = properties.map(([property, value]) => lp(property, value));
  const head = lp('sealwire/channel/v1', app, installation);
  return sha256(Buffer.concat([head, u32(properties.length), ...pairs, lp(bytes(tag ?? ''), name)])).subarray(
    0,
    16,
  );
}

export function scopeKey({ app, installation, encryption_key: key }, pairs) {
  const head = lp('scope', app, installation);
  const info = Buffer.concat([
    head,
    u32(pairs.length),
    ...pairs.map(([property, value]) => lp(property, value)),
  ]);
  return Buffer.from(hkdfSync('sha256', bytes(key), 'sealwire/v1', info, 32));
}

/** Returns the keys of all subsets of a context. Bit n of a key's index is set if property n is in its scope. */
export function scopeKeys(c) {
  const context = sorted(c.context);
  const subsets = Array.from({ length: 2 ** context.length }, (_, subset) =>
    context.filter((_, place) => (subset >> place) & 1),
  );
  return Buffer.concat(subsets.map((pairs) => scopeKey(c, pairs)));
}

export function derivedKeys(c, claims) {
  const { app, installation, encryption_key: key, context, properties, name } = c;
  const k = bytes(key);
  const kept = scopeKey(c, sorted(Object.fromEntries(properties.map((p) => [p, context[p]]))));
  const claimsKey = claims === null ? null : derive(k, 'claims', app, installation, name, claims);
  return {
    id: sha256(lp('sealwire/key-id/v1', k)).subarray(0, 4),
    scopeKey: kept,
    claimsKey,
    channelKey: derive(Buffer.concat([kept, claimsKey ?? Buffer.alloc(0)]), 'channel', name),
  };
}

export function padme(length) {
  const exponent = Math.floor(Math.log2(length));
  const bits = exponent - (Math.floor(Math.log2(exponent)) + 1);
  return Math.ceil(length / 2 ** bits) * 2 ** bits;
}

/** Returns the id and the keys of a channel without claims. */
export function channelOf(c) {
  const keys = derivedKeys({ ...c, context: c.scope, properties: Object.keys(c.scope) }, null);
  return { id: channelId(c), keys };
}

/** Returns the content of a page's certificate, which its signature covers. */
export const certified = ({ public_key: key, expires_at_ms: expiry, account }) =>
  Buffer.concat([bytes(key), u64(expiry), lp(account)]);

export const certificateLength = (buffer) => 65 + 8 + 4 + buffer.readUInt32BE(73) + 64;

export function readCertificate(certificate) {
  return {
    public_key: certificate.subarray(0, 65).toString('hex'),
    expires_at_ms: Number(certificate.readBigUInt64BE(65)),
    account: certificate.subarray(77, -64).toString('utf8'),
    signature: certificate.subarray(-64).toString('hex'),
  };
}

/** Returns the bytes between a payload and the padding. */
export function authorSignature({ certificate, signature }) {
  if (signature === null) return [];
  if (certificate === null) return [Buffer.from([1]), bytes(signature)];
  return [Buffer.from([2]), certified(certificate), bytes(certificate.signature), bytes(signature)];
}

/** Returns a public key from its point, 65 bytes without compression. */
export function signerOf(point) {
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}

export const verifies = (point, text, signature) => {
  const key = { key: signerOf(bytes(point)), dsaEncoding: 'ieee-p1363' };
  return verify('sha256', text, key, bytes(signature));
};
