// Recomputes the vectors with Node's crypto alone. Sealwire's code wrote the files, so an error in that code would
// otherwise be in both.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import {
  authorSignature,
  bytes,
  canonical,
  certificateLength,
  certified,
  channelId,
  channelOf,
  derive,
  derivedKeys,
  load,
  lp,
  padme,
  readCertificate,
  scopeKey,
  scopeKeys,
  u32,
  u64,
  utf8,
  verifies,
  xaes,
  xaesOpen,
} from './node-crypto.mjs';

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
