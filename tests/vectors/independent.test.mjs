// Recomputes the vectors with Node's crypto alone. Sealwire's code wrote the files, so an error in that code would
// otherwise be in both.
import assert from 'node:assert/strict';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  hkdfSync,
  verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const load = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8'));
const bytes = (hex) => Buffer.from(hex, 'hex');
const utf8 = (text) => Buffer.from(text, 'utf8');
const u32 = (value) => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};
const u64 = (value) => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer;
};
/** Concatenates parts, each with its length in front. */
const lp = (...parts) =>
  Buffer.concat(parts.flatMap((part) => [u32(Buffer.from(part).length), Buffer.from(part)]));
const sha256 = (data) => createHash('sha256').update(data).digest();
const derive = (input, ...info) => Buffer.from(hkdfSync('sha256', input, 'sealwire/v1', lp(...info), 32));
const sorted = (scope) => Object.entries(scope).sort(([a], [b]) => Buffer.compare(utf8(a), utf8(b)));

/** RFC 8785: JSON as ECMAScript writes it, with keys sorted by UTF-16 code units. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const keys = Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

function block(key, input) {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(input), cipher.final()]);
}

/** The key of AES-256-GCM in XAES-256-GCM, as C2SP specifies it: CMAC derives it from the first half of the nonce. */
function gcmKey(key, nonce) {
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

function xaes(key, nonce, aad, plaintext) {
  const cipher = createCipheriv('aes-256-gcm', gcmKey(key, nonce), nonce.subarray(12));
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts, and throws if the tag does not fit. */
function xaesOpen(key, nonce, aad, sealed) {
  const decipher = createDecipheriv('aes-256-gcm', gcmKey(key, nonce), nonce.subarray(12));
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

function channelId({ app, installation, scope, claims_tag: tag, name }) {
  const properties = sorted(scope);
  const pairs = properties.map(([property, value]) => lp(property, value));
  const head = lp('sealwire/channel/v1', app, installation);
  return sha256(Buffer.concat([head, u32(properties.length), ...pairs, lp(bytes(tag ?? ''), name)])).subarray(
    0,
    16,
  );
}

function scopeKey({ app, installation, encryption_key: key }, pairs) {
  const head = lp('scope', app, installation);
  const info = Buffer.concat([
    head,
    u32(pairs.length),
    ...pairs.map(([property, value]) => lp(property, value)),
  ]);
  return Buffer.from(hkdfSync('sha256', bytes(key), 'sealwire/v1', info, 32));
}

/** Returns the keys of all subsets of a context. Bit n of a key's index is set if property n is in its scope. */
function scopeKeys(c) {
  const context = sorted(c.context);
  const subsets = Array.from({ length: 2 ** context.length }, (_, subset) =>
    context.filter((_, place) => (subset >> place) & 1),
  );
  return Buffer.concat(subsets.map((pairs) => scopeKey(c, pairs)));
}

function derivedKeys(c, claims) {
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

function padme(length) {
  const exponent = Math.floor(Math.log2(length));
  const bits = exponent - (Math.floor(Math.log2(exponent)) + 1);
  return Math.ceil(length / 2 ** bits) * 2 ** bits;
}

test("XAES-256-GCM agrees with C2SP's vectors", () => {
  for (const c of load('xaes-256-gcm')) {
    const sealed = xaes(bytes(c.key), bytes(c.nonce), bytes(c.aad), bytes(c.plaintext));
    assert.equal(sealed.toString('hex'), c.ciphertext_and_tag);
  }
});

test('channel ids are recomputed', () => {
  for (const c of load('channels')) assert.equal(channelId(c).toString('hex'), c.channel_id);
});

test('keys and tags are recomputed', () => {
  for (const c of load('keys')) {
    const claims = c.claims === null ? null : canonical(JSON.parse(c.claims));
    assert.equal(claims, c.canonical_claims);
    const tag =
      claims === null
        ? null
        : derive(bytes(c.routing_key), 'claims-tag', c.app, c.installation, c.name, claims);
    assert.equal(tag?.toString('hex') ?? null, c.claims_tag);
    const keys = derivedKeys(c, claims);
    assert.equal(keys.id.toString('hex'), c.key_id);
    assert.equal(scopeKeys(c).toString('base64url'), c.scope_keys);
    assert.equal(keys.scopeKey.toString('hex'), c.scope_key);
    assert.equal(keys.claimsKey?.toString('hex') ?? null, c.claims_key);
    assert.equal(keys.channelKey.toString('hex'), c.channel_key);
  }
});

test('valid tokens are signed with HMAC-SHA-512', () => {
  const { keys, cases } = load('tokens');
  const secrets = new Map(keys.map(({ signing_key: key }) => key.split('.')));
  const good = cases.filter((c) => c.claims);
  assert.ok(good.length >= 4);
  for (const { token, claims } of good) {
    const [header, payload, signature] = token.split('.');
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url'));
    assert.equal(alg, 'HS512');
    const mac = createHmac('sha512', Buffer.from(secrets.get(kid), 'base64url'));
    assert.equal(mac.update(`${header}.${payload}`).digest('base64url'), signature);
    assert.deepEqual(JSON.parse(Buffer.from(payload, 'base64url')), claims);
  }
});

/** Returns the id and the keys of a channel without claims. */
function channelOf(c) {
  const keys = derivedKeys({ ...c, context: c.scope, properties: Object.keys(c.scope) }, null);
  return { id: channelId(c), keys };
}

/** Returns the content of a page's certificate, which its signature covers. */
const certified = ({ public_key: key, expires_at_ms: expiry, account }) =>
  Buffer.concat([bytes(key), u64(expiry), lp(account)]);

const certificateLength = (buffer) => 65 + 8 + 4 + buffer.readUInt32BE(73) + 64;

function readCertificate(certificate) {
  return {
    public_key: certificate.subarray(0, 65).toString('hex'),
    expires_at_ms: Number(certificate.readBigUInt64BE(65)),
    account: certificate.subarray(77, -64).toString('utf8'),
    signature: certificate.subarray(-64).toString('hex'),
  };
}

/** Returns the bytes between a payload and the padding. */
function authorSignature({ certificate, signature }) {
  if (signature === null) return [];
  if (certificate === null) return [Buffer.from([1]), bytes(signature)];
  return [Buffer.from([2]), certified(certificate), bytes(certificate.signature), bytes(signature)];
}

/** Reads the fields in front of a payload and behind it, as a receiver does. */
function readPlaintext(plaintext) {
  const number = plaintext.readUInt32BE(8);
  const end = 24 + plaintext.readUInt32BE(20);
  const kind = plaintext[end] ?? 0;
  const certificateEnd = end + 1 + (kind === 2 ? certificateLength(plaintext.subarray(end + 1)) : 0);
  const signatureEnd = kind === 0 ? end : certificateEnd + 64;
  return {
    publishedAt: Number(plaintext.readBigUInt64BE(0)),
    number,
    confirmed: plaintext.subarray(12, 20).toString('hex'),
    payload: plaintext.subarray(24, end).toString('utf8'),
    certificate: kind === 2 ? readCertificate(plaintext.subarray(end + 1, certificateEnd)) : null,
    signature: kind === 0 ? null : plaintext.subarray(certificateEnd, signatureEnd).toString('hex'),
    padding: plaintext.subarray(signatureEnd),
  };
}

test('sealed messages are recomputed', () => {
  const good = load('sealed').filter((c) => c.payload !== null);
  assert.ok(good.length >= 7);
  for (const c of good) {
    const { id, keys } = channelOf(c);
    const stamp = Buffer.concat([u32(c.number), bytes(c.confirmed)]);
    const content = Buffer.concat([u64(c.published_at_ms), stamp, lp(c.payload), ...authorSignature(c)]);
    const plaintext = Buffer.concat([content, Buffer.alloc(padme(content.length) - content.length)]);
    const aad = Buffer.concat([lp('sealwire/message/v1'), id, lp(c.event)]);
    const nonce = Buffer.concat([bytes(c.sender), bytes(c.random)]);
    const sealed = Buffer.concat([
      Buffer.from([1]),
      keys.id,
      nonce,
      xaes(keys.channelKey, nonce, aad, plaintext),
    ]);
    assert.equal(sealed.toString('hex'), c.sealed, c.what);
  }
});

test('sealed messages open, with the stamp of their sender, unless they were altered', () => {
  for (const c of load('sealed')) {
    const { id, keys } = channelOf(c);
    const sealed = bytes(c.sealed);
    const known = sealed[0] === 1 && sealed.subarray(1, 5).equals(keys.id);
    const aad = Buffer.concat([lp('sealwire/message/v1'), id, lp(c.event)]);
    const open = () => xaesOpen(keys.channelKey, sealed.subarray(5, 29), aad, sealed.subarray(29));
    if (c.payload === null) {
      if (known) assert.throws(open, c.what);
      continue;
    }
    assert.equal(sealed.subarray(5, 17).toString('hex'), c.sender, c.what);
    const { padding, ...opened } = readPlaintext(open());
    const { number, confirmed, payload, certificate, signature, published_at_ms: publishedAt } = c;
    assert.deepEqual(opened, { publishedAt, number, confirmed, payload, certificate, signature }, c.what);
    assert.ok(
      padding.every((byte) => byte === 0),
      c.what,
    );
  }
});

/** Returns a public key from its point, 65 bytes without compression. */
function signerOf(point) {
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}

const verifies = (point, text, signature) => {
  const key = { key: signerOf(bytes(point)), dsaEncoding: 'ieee-p1363' };
  return verify('sha256', text, key, bytes(signature));
};

test('the signature of a function or a page covers channel, sender, number, time, event and payload', () => {
  const signed = load('sealed').filter((c) => c.payload !== null && c.signature !== null);
  assert.deepEqual(new Set(signed.map((c) => c.certificate === null)), new Set([true, false]));
  for (const c of signed) {
    const holds = (change) => {
      const { sender, number, published_at_ms: time, event, payload, ...where } = { ...c, ...change };
      const parts = [bytes(sender), u32(number), u64(time), lp(event, payload)];
      const text = Buffer.concat([lp('sealwire/signature/v1'), channelOf(where).id, ...parts]);
      return verifies(c.certificate?.public_key ?? c.signer, text, c.signature);
    };
    assert.ok(holds({}), c.what);
    for (const change of [
      { payload: `${c.payload} ` },
      { event: 'removed' },
      { number: c.number + 1 },
      { published_at_ms: c.published_at_ms + 1 },
      { sender: c.sender.replace(/^../, 'ff') },
      { name: 'rotation' },
      { scope: {} },
    ])
      assert.ok(!holds(change), JSON.stringify(change));
  }
});

test('the certificate of a page covers app, installation, account, key and expiry', () => {
  const [c, ...others] = load('sealed').filter((each) => each.payload !== null && each.certificate);
  assert.deepEqual(others, []);
  const holds = ({ app, installation, ...certificate }) => {
    const text = [lp('sealwire/certificate/v1', app, installation), certified(certificate)];
    return verifies(c.signer, Buffer.concat(text), certificate.signature);
  };
  const { app, installation, certificate } = c;
  const all = { app, installation, ...certificate };
  assert.ok(holds(all));
  for (const change of [
    { app: 'other' },
    { installation: 'ari:cloud:jira::site/2' },
    { app: app + installation[0], installation: installation.slice(1) },
    { account: '712020:other' },
    { public_key: c.signer },
    { expires_at_ms: certificate.expires_at_ms + 1 },
  ])
    assert.ok(!holds({ ...all, ...change }), JSON.stringify(change));
});

test('the ids of messages with an idempotency id of the app are recomputed', () => {
  const cases = load('idempotency');
  assert.ok(cases.length >= 4);
  for (const c of cases) {
    const key = channelOf(c).keys.channelKey;
    const id = derive(key, 'idempotency-id', c.publisher, c.app_id);
    const content = derive(key, 'idempotency-content', c.publisher, c.app_id, c.event, c.payload);
    assert.equal(id.subarray(0, 16).toString('hex'), c.id, c.what);
    assert.equal(content.subarray(0, 16).toString('hex'), c.content, c.what);
  }
  const [first, payload, event, publisher] = cases;
  assert.deepEqual([payload.id, event.id], [first.id, first.id]);
  assert.equal(new Set(cases.map(({ content }) => content)).size, cases.length);
  assert.notEqual(publisher.id, first.id);
});
