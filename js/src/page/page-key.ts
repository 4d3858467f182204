// The key with which this page signs its messages. It is loaded by pages that sign only. The browser keeps the private key,
// which no script can read.

import { ALGORITHM, CURVE } from './ecdsa.js';

export interface PageKey {
  /** The public key: a point of P-256 without compression, 65 bytes in base64url. */
  publicKey: string;
  /** Returns a signature of 64 bytes. */
  sign: (text: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
}

let made: Promise<PageKey> | undefined;

/** Returns the key of this page, which is made at the first call. */
export function pageKey(): Promise<PageKey> {
  made ??= makeKey().catch((error: unknown) => {
    made = undefined;
    throw error;
  });
  return made;
}

async function makeKey(): Promise<PageKey> {
  const { subtle } = crypto;
  const { privateKey, publicKey } = await subtle.generateKey(CURVE, false, ['sign']);
  const point = new Uint8Array(await subtle.exportKey('raw', publicKey));
  return {
    publicKey: base64url(point),
    sign: async (text) => new Uint8Array(await subtle.sign(ALGORITHM, privateKey, text)),
  };
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
