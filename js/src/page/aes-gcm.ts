// The browser's AES-256-GCM, for messages so large that its answer, which takes a turn of the event loop, comes sooner
// than the core would be done.

import type { CoreKind, Host } from '../core/browser-core.js';

/** Sealed bytes from which on it is faster than each build of the core (docs/performance.md). */
const FASTER_FROM: Record<CoreKind, number> = { wasm: 8192, js: 256 };

/** Where the browser's is not offered, as on a page without HTTPS, the core opens everything. */
export function fasterFrom(kind: CoreKind): number | undefined {
  return globalThis.crypto?.subtle ? FASTER_FROM[kind] : undefined;
}

type Sealed = Parameters<Host['open']> extends [number, ...infer Rest] ? Rest : never;

/** Rejects where the message is not authentic, or the browser cannot. */
export async function decrypt(...[key, iv, associatedData, ciphertext]: Sealed): Promise<Uint8Array> {
  // The core's memory is its own again once this function returns its promise.
  const parameters = { name: 'AES-GCM', iv: iv.slice(), additionalData: associatedData.slice() };
  const data = ciphertext.slice();
  const { subtle } = crypto;
  const imported = await subtle.importKey('raw', key.slice(), 'AES-GCM', false, ['decrypt']);
  return new Uint8Array(await subtle.decrypt(parameters, imported, data));
}
