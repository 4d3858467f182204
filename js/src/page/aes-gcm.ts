// Decrypts large messages with the browser's AES-256-GCM. It takes a turn of the event loop, so it is faster than the core
// only from a certain size.

import type { CoreKind, Host } from '../core/browser-core.js';

/** The number of sealed bytes from which the browser is faster than each build of the core (docs/performance.md). */
const THRESHOLDS: Record<CoreKind, number> = { wasm: 8192, js: 256 };

/** Returns undefined if the browser has no WebCrypto, as on a page without HTTPS: the core then decrypts all messages. */
export function decryptThreshold(kind: CoreKind): number | undefined {
  return globalThis.crypto?.subtle ? THRESHOLDS[kind] : undefined;
}

type Sealed = Parameters<Host['open']> extends [number, ...infer Rest] ? Rest : never;

/** Decrypts a message. Rejects if the message is not authentic, or if the browser cannot decrypt it. */
export async function decrypt(...[key, iv, associatedData, ciphertext]: Sealed): Promise<Uint8Array> {
  // The arguments are valid until this function returns its promise, so everything is copied before the first await.
  const parameters = { name: 'AES-GCM', iv: iv.slice(), additionalData: associatedData.slice() };
  const data = ciphertext.slice();
  const { subtle } = crypto;
  const imported = await subtle.importKey('raw', key.slice(), 'AES-GCM', false, ['decrypt']);
  return new Uint8Array(await subtle.decrypt(parameters, imported, data));
}
