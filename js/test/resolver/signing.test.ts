import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import { channelId, keysIn, lp, opened, u32, type SealedFor } from '../support/key-holder.js';
import { claimsOf, context, fakeKvs, fakeRelay, settings } from '../support/relay.js';

function backend() {
  const { fetch, posted } = fakeRelay();
  const secrets = forgeSecrets(async () => kvs);
  const kvs = fakeKvs();
  return { posted, realtime: createRealtime({ authorize: () => true, ...settings, secrets, fetch }) };
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
