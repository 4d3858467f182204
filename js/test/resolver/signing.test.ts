import assert from 'node:assert/strict';
import { createECDH, webcrypto } from 'node:crypto';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import type { RealtimeOptions } from '../../src/backend/options.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import { channelId, keysIn, lp, opened, u32, type SealedFor } from '../support/key-holder.js';
import { INSTALLED, claimsOf, context, fakeKvs, fakeRelay, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';
import { certifiedFor } from '../../src/session/grant.js';

function backend(over: Partial<RealtimeOptions> = {}) {
  const { fetch, posted } = fakeRelay();
  const secrets = forgeSecrets(async () => kvs);
  const kvs = fakeKvs();
  return {
    posted,
    realtime: createRealtime({ authorize: () => true, ...settings, secrets, fetch, ...over }),
  };
}

/** Verifies the signature in a plaintext as a page does, with the public key of a session. */
async function isSignedBy(signer: string, sealedFor: SealedFor, plaintext: Buffer): Promise<boolean> {
  const length = plaintext.readUInt32BE(20);
  const [payload, rest] = [plaintext.subarray(24, 24 + length), plaintext.subarray(24 + length)];
  assert.equal(rest[0], 1);
  const sender = Buffer.from(sealedFor.message['sealed'], 'base64').subarray(5, 17);
  const [time, number] = [plaintext.subarray(0, 8), plaintext.subarray(8, 12)];
  const event = sealedFor.message['event'] as string;
  const head = Buffer.concat([lp('sealwire/signature/v1'), channelId(sealedFor), sender, number, time]);
  const text = Buffer.concat([head, lp(event), u32(payload.length), payload]);
  const { subtle } = webcrypto;
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await subtle.importKey('raw', Buffer.from(signer, 'base64url'), curve, false, ['verify']);
  return subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, rest.subarray(1, 65), text);
}

test('a message of a function has a signature that the public key of a session verifies', async () => {
  const { realtime, posted } = backend();
  const session = await realtime.session({ payload: {}, context } as never);
  await realtime.publish('absences', { added: 'Ada' }, { context, eventName: 'added' });
  await realtime.rotateKey({ context });
  await realtime.publish('absences', { added: 'Ben' }, { context, eventName: 'added' });
  const rotated = await realtime.session({ payload: {}, context } as never);

  const [before, after] = posted.map(({ headers, messages: [message] }): SealedFor => {
    const { iss: app, ins: installation } = claimsOf(headers['authorization']!.replace('Bearer ', ''));
    return { app, installation, message: message! };
  });
  const plaintexts = [before!, after!].map((message) => opened(keysIn(rotated.keys), message)!);
  const [newest, replaced] = rotated.keys;
  assert.equal(replaced!.signer, session.keys[0]!.signer);
  assert.notEqual(newest!.signer, replaced!.signer);
  assert.equal(await isSignedBy(replaced!.signer, before!, plaintexts[0]!), true);
  assert.equal(await isSignedBy(newest!.signer, before!, plaintexts[0]!), false);
  assert.equal(await isSignedBy(newest!.signer, after!, plaintexts[1]!), true);
  const other = { ...before!, message: { ...before!.message, channel: 'rotation' } };
  assert.equal(await isSignedBy(replaced!.signer, other, plaintexts[0]!), false);
});

test('a session has the public keys of the functions and no private one', async () => {
  const { realtime } = backend();
  const { keys } = await realtime.session({ payload: {}, context } as never);
  for (const key of keys) {
    assert.deepEqual(Object.keys(key).sort(), ['id', 'scopes', 'signer']);
    const point = Buffer.from(key.signer, 'base64url');
    assert.deepEqual([point.length, point[0]], [65, 4]);
  }
});

/** Returns the public key of a new page, in base64url. */
function newPublicKey(): string {
  return createECDH('prime256v1').generateKeys().toString('base64url');
}

async function certifies(signer: string, certificate: Buffer, app: string): Promise<boolean> {
  const text = Buffer.concat([lp('sealwire/certificate/v1', app, INSTALLED), certificate.subarray(0, -64)]);
  const { subtle } = webcrypto;
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await subtle.importKey('raw', Buffer.from(signer, 'base64url'), curve, false, ['verify']);
  return subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, certificate.subarray(-64), text);
}

test('a session certifies the key of a page for its account, under each key and until the session ends', async () => {
  const { realtime } = backend();
  await realtime.rotateKey({ context });
  const publicKey = newPublicKey();
  const { keys, expiresAt } = await realtime.session({ payload: { publicKey }, context });
  assert.equal(keys.length, 2);
  for (const [place, { signer, certificate: text }] of keys.entries()) {
    const certificate = Buffer.from(text!, 'base64url');
    assert.equal(certificate.subarray(0, 65).toString('base64url'), publicKey);
    assert.equal(Number(certificate.readBigUInt64BE(65)), expiresAt * 1000);
    assert.equal(certificate.subarray(73, -64).toString('hex'), lp('account-1').toString('hex'));
    assert.equal(await certifies(signer, certificate, 'app-1'), true);
    assert.equal(await certifies(signer, certificate, 'app-2'), false);
    assert.equal(await certifies(keys[1 - place]!.signer, certificate, 'app-1'), false);
  }
});

test('a session certifies nothing without a key, or without an account that the platform or the app vouches for', async () => {
  const publicKey = newPublicKey();
  const certified = async (over: Partial<RealtimeOptions>, user: object, payload: object) => {
    const { realtime } = backend(over);
    const { keys } = await realtime.session({ payload, context: { ...context, ...user } });
    return keys.some(({ certificate }) => certificate !== undefined);
  };
  assert.equal(await certified({}, {}, { publicKey }), true);
  assert.equal(await certified({}, {}, {}), false);
  const unidentified = { accountId: 'unidentified' };
  assert.equal(await certified({ unlicensedAccess: ['anonymous'] }, unidentified, { publicKey }), false);
  assert.equal(await certified({ trustUnsignedContext: false }, {}, { publicKey }), false);
});

test('a public key that is not a point of the curve in its only spelling is refused', async () => {
  const { realtime } = backend();
  const point = Buffer.from(newPublicKey(), 'base64url');
  const off = Buffer.from(point);
  off[64]! ^= 1;
  const compressed = Buffer.concat([Buffer.from([2]), point.subarray(1, 33)]);
  const texts = [off, compressed, point.subarray(0, 64), Buffer.concat([point, point])].map((bytes) =>
    bytes.toString('base64url'),
  );
  for (const publicKey of [
    ...texts,
    '',
    7,
    null,
    {},
    `${point.toString('base64url')}=`,
    point.toString('hex'),
  ]) {
    const session = realtime.session({ payload: { publicKey }, context });
    await assert.rejects(session, isError('INVALID_ARGUMENT', /publicKey of the payload/), String(publicKey));
  }
});

test('a page keeps only certificates of its own key', async () => {
  const { realtime } = backend();
  const [publicKey, other] = [newPublicKey(), newPublicKey()];
  const grant = await realtime.session({ payload: { publicKey }, context });
  const certificates = (key?: string) => certifiedFor(grant, key).keys.map(({ certificate }) => certificate);
  assert.deepEqual(certificates(publicKey), [grant.keys[0]!.certificate]);
  assert.deepEqual([certificates(other), certificates(undefined)], [[undefined], [undefined]]);
});
