// Recomputes the vectors of the entries of a presence, and verifies their signatures, with Node's crypto alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorSignature,
  bytes,
  certificateLength,
  certified,
  channelOf,
  load,
  lp,
  padme,
  readCertificate,
  u64,
  verifies,
  xaes,
  xaesOpen,
} from './node-crypto.mjs';

/** Returns the place of an entry, which the associated data and the signed text contain. */
const placeOf = (c) => Buffer.concat([channelOf(c).id, bytes(c.member), u64(c.number)]);
const contentOf = (c) =>
  Buffer.concat([u64(c.sealed_at_ms), u64(c.entered_at_ms), lp(c.account), lp(c.data)]);
const associatedData = (c) => Buffer.concat([lp('sealwire/presence/v1'), placeOf(c)]);

/** Reads a plaintext as a watcher does. */
function readEntry(plaintext) {
  const textAt = (at) => plaintext.subarray(at + 4, at + 4 + plaintext.readUInt32BE(at));
  const account = textAt(16);
  const data = textAt(20 + account.length);
  const end = 24 + account.length + data.length;
  const isSigned = plaintext[end] === 2;
  const behind = end + 1 + (isSigned ? certificateLength(plaintext.subarray(end + 1)) : 0);
  return {
    sealed_at_ms: Number(plaintext.readBigUInt64BE(0)),
    entered_at_ms: Number(plaintext.readBigUInt64BE(8)),
    account: account.toString('utf8'),
    data: data.toString('utf8'),
    certificate: isSigned ? readCertificate(plaintext.subarray(end + 1, behind)) : null,
    signature: isSigned ? plaintext.subarray(behind, behind + 64).toString('hex') : null,
    padding: plaintext.subarray(isSigned ? behind + 64 : end),
  };
}

test('sealed entries are recomputed', () => {
  const good = load('entries').filter((c) => c.data !== null);
  assert.deepEqual(new Set(good.map((c) => c.signature === null)), new Set([true, false]));
  for (const c of good) {
    const { keys } = channelOf(c);
    const content = Buffer.concat([contentOf(c), ...authorSignature(c)]);
    const plaintext = Buffer.concat([content, Buffer.alloc(padme(content.length) - content.length)]);
    const nonce = bytes(c.nonce);
    const ciphertext = xaes(keys.channelKey, nonce, associatedData(c), plaintext);
    const sealed = Buffer.concat([Buffer.from([1]), keys.id, nonce, ciphertext]);
    assert.equal(sealed.toString('hex'), c.sealed, c.what);
  }
});

test('sealed entries open at their place only, unless they were altered', () => {
  for (const c of load('entries')) {
    const { keys } = channelOf(c);
    const sealed = bytes(c.sealed);
    const open = (at) =>
      xaesOpen(keys.channelKey, sealed.subarray(5, 29), associatedData(at), sealed.subarray(29));
    if (c.data === null) {
      assert.throws(() => open(c), c.what);
      continue;
    }
    const { padding, ...opened } = readEntry(open(c));
    const { sealed_at_ms, entered_at_ms, account, data, certificate, signature } = c;
    assert.deepEqual(opened, { sealed_at_ms, entered_at_ms, account, data, certificate, signature }, c.what);
    assert.ok(
      padding.every((byte) => byte === 0),
      c.what,
    );
    for (const change of [
      { number: c.number + 1 },
      { member: c.member.replace(/^../, 'ff') },
      { name: 'b' },
    ]) {
      assert.throws(() => open({ ...c, ...change }), JSON.stringify(change));
    }
  }
});

test('the signature of an entry covers its place, times, account and data, and its certificate the account', () => {
  const signed = load('entries').filter((c) => c.data !== null && c.signature !== null);
  assert.ok(signed.length >= 1);
  for (const c of signed) {
    const holds = (change) => {
      const of = { ...c, ...change };
      const text = Buffer.concat([lp('sealwire/presence-signature/v1'), placeOf(of), contentOf(of)]);
      return verifies(c.certificate.public_key, text, c.signature);
    };
    assert.ok(holds({}), c.what);
    for (const change of [
      { data: `${c.data} ` },
      { account: '712020:other' },
      { number: c.number + 1 },
      { member: c.member.replace(/^../, 'ff') },
      { sealed_at_ms: c.sealed_at_ms + 1 },
      { entered_at_ms: c.entered_at_ms + 1 },
      { name: 'rotation' },
      { scope: {} },
    ])
      assert.ok(!holds(change), JSON.stringify(change));
    const certificate = lp('sealwire/certificate/v1', c.app, c.installation);
    const text = Buffer.concat([certificate, certified(c.certificate)]);
    assert.ok(verifies(c.signer, text, c.certificate.signature), c.what);
    assert.equal(c.certificate.account, c.account, c.what);
  }
});
