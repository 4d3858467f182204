// Recomputes the vectors of name tags with Node's crypto alone.
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const cases = JSON.parse(readFileSync(new URL('name-tags.json', import.meta.url), 'utf8'));
const bytes = (hex) => Buffer.from(hex, 'hex');
const utf8 = (text) => Buffer.from(text, 'utf8');

/** Concatenates parts, each with its length in front. */
function lp(...parts) {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(utf8(part).length);
      return [length, utf8(part)];
    }),
  );
}

const derive = (input, ...info) => Buffer.from(hkdfSync('sha256', input, 'sealwire/v1', lp(...info), 32));

const TAG_PREFIX = '~t1.';

/** Returns the key of a name tag, and the values that depend on its kind. */
function tagKeys({ routing_key: routing, app, installation, kind }) {
  const key = derive(bytes(routing), kind === 'value' ? 'value-tags' : 'name-tags', app, installation);
  return { key, cipher: derive(key, 'name-tag-cipher'), aad: utf8(kind) };
}

/** Returns the nonce of a name tag, which the name determines. */
const tagNonce = (key, { kind, property, name }) =>
  derive(key, 'name-tag-nonce', kind, property, name).subarray(0, 12);

/** Reads the name of a tag, and throws if it is altered or of another kind or installation. */
function readTag(c) {
  const { cipher, aad } = tagKeys(c);
  assert.ok(c.tag.startsWith(TAG_PREFIX) && c.tag.length <= 255);
  const tag = Buffer.from(c.tag.slice(TAG_PREFIX.length), 'base64url');
  assert.equal(TAG_PREFIX + tag.toString('base64url'), c.tag);
  const decipher = createDecipheriv('aes-256-gcm', cipher, tag.subarray(0, 12)).setAAD(aad);
  decipher.setAuthTag(tag.subarray(-16));
  const padded = Buffer.concat([decipher.update(tag.subarray(12, -16)), decipher.final()]);
  return padded.subarray(1, 1 + padded[0]).toString('utf8');
}

test('name tags are recomputed, and read back as their names and as nothing else', () => {
  const good = cases.filter((c) => c.name !== null);
  assert.ok(good.length >= 7 && cases.length >= good.length + 6);
  for (const c of good) {
    const { key, cipher, aad } = tagKeys(c);
    const content = Buffer.concat([Buffer.from([utf8(c.name).length]), utf8(c.name)]);
    const padded = Buffer.concat([content, Buffer.alloc((16 - (content.length % 16)) % 16)]);
    const nonce = tagNonce(key, c);
    const gcm = createCipheriv('aes-256-gcm', cipher, nonce).setAAD(aad);
    const tag = Buffer.concat([nonce, gcm.update(padded), gcm.final(), gcm.getAuthTag()]);
    assert.equal(TAG_PREFIX + tag.toString('base64url'), c.tag, c.name);
    assert.equal(readTag(c), c.name);
  }
  assert.equal(new Set(good.map(({ tag }) => tag)).size, good.length);
  for (const c of cases.filter(({ name }) => name === null)) assert.throws(() => readTag(c), c.what);
});
