// An attacker who holds session grants and tries every combination of their keys. It knows the format of messages but not
// the key schedule, so it finds the keys in any grant.

import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';

const KEY = 32;
/** A base key and the keys of two properties: the longest input of a schedule that joins keys for two properties. */
const MAX_JOINED = 3;

export const u32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};

/** Joins parts, each preceded by its length. */
export function lp(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => [u32(Buffer.byteLength(part)), Buffer.from(part)]));
}

function derive(input: Buffer, ...info: string[]): Buffer {
  return Buffer.from(hkdfSync('sha256', input, 'sealwire/v1', lp(...info), KEY));
}

/** Returns the keys in every text of a grant that consists of whole keys in base64url. */
export function keysIn(value: unknown): Buffer[] {
  if (typeof value === 'string') {
    const bytes = /^[A-Za-z0-9_-]{43,}$/.test(value) ? Buffer.from(value, 'base64url') : Buffer.alloc(0);
    if (bytes.length % KEY !== 0) return [];
    return Array.from({ length: bytes.length / KEY }, (_, place) =>
      bytes.subarray(place * KEY, (place + 1) * KEY),
    );
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(keysIn) : [];
}

/** Returns each key, and each joined sequence of up to three keys. */
function* combinations(keys: Buffer[], joined: Buffer[] = []): Generator<Buffer> {
  for (const key of keys) {
    if (joined.includes(key)) continue;
    const longer = [...joined, key];
    if (longer.length === 1) yield key;
    yield derive(Buffer.concat(longer), 'scope');
    if (longer.length < MAX_JOINED) yield* combinations(keys, longer);
  }
}

function block(key: Buffer, input: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(input), cipher.final()]);
}

/** Decrypts XAES-256-GCM (c2sp.org/XAES-256-GCM). Returns undefined if the tag does not fit. */
function decrypted(key: Buffer, nonce: Buffer, aad: Buffer, sealed: Buffer): Buffer | undefined {
  const l = block(key, Buffer.alloc(16));
  const k1 = l.map((byte, place) => (byte << 1) | ((l[place + 1] ?? 0) >> 7));
  if (l[0]! & 0x80) k1[15]! ^= 0x87;
  const half = (counter: number): Buffer => {
    const input = Buffer.concat([Buffer.from([0, counter, 0x58, 0]), nonce.subarray(0, 12)]);
    return block(key, Buffer.from(input.map((byte, place) => byte ^ k1[place]!)));
  };
  const cipher = createDecipheriv('aes-256-gcm', Buffer.concat([half(1), half(2)]), nonce.subarray(12));
  cipher.setAAD(aad);
  cipher.setAuthTag(sealed.subarray(-16));
  const plaintext = cipher.update(sealed.subarray(0, -16));
  try {
    cipher.final();
    return plaintext;
  } catch {
    return undefined;
  }
}

/** A message on a channel without claims, as a resolver posts it. */
export interface SealedFor {
  app: string;
  installation: string;
  message: Record<string, any>;
}

export function channelId({ app, installation, message }: SealedFor): Buffer {
  const pairs = Object.entries(message['scope'] as Record<string, string>);
  pairs.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const scope = Buffer.concat([u32(pairs.length), ...pairs.map((pair) => lp(...pair))]);
  const head = lp('sealwire/channel/v1', app, installation);
  const hash = createHash('sha256').update(Buffer.concat([head, scope, lp('', message['channel'])]));
  return hash.digest().subarray(0, 16);
}

/** Returns the plaintext of the message if any combination of `keys` decrypts it. */
export function opened(keys: Buffer[], sealedFor: SealedFor): Buffer | undefined {
  const { channel, event, sealed: text } = sealedFor.message;
  const sealed = Buffer.from(text, 'base64');
  const aad = Buffer.concat([lp('sealwire/message/v1'), channelId(sealedFor), lp(event)]);
  const distinct = [...new Map(keys.map((key) => [key.toString('hex'), key])).values()];
  for (const scopeKey of combinations(distinct)) {
    const channelKey = derive(scopeKey, 'channel', channel);
    const plaintext = decrypted(channelKey, sealed.subarray(5, 29), aad, sealed.subarray(29));
    if (plaintext) return plaintext;
  }
  return undefined;
}

/** Returns whether any combination of `keys` decrypts the message. */
export function canOpen(keys: Buffer[], sealedFor: SealedFor): boolean {
  return opened(keys, sealedFor) !== undefined;
}
