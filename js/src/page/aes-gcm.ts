// Decrypts large messages with the browser's AES-256-GCM. It takes a turn of the event loop, so it is faster than the core
// only from a certain size.

import type { CoreKind, Host } from '../core/browser-core.js';

/** The number of sealed bytes from which the browser is faster than each build of the core (docs/performance.md). */
const THRESHOLDS: Record<CoreKind, number> = { wasm: 4096, js: 768 };

/** The most keys that stay imported. Each sender on each channel has one. */
const MAX_KEYS = 4;

/** Returns undefined if the browser has no WebCrypto, as on a page without HTTPS: the core then decrypts all messages. */
export function decryptThreshold(kind: CoreKind): number | undefined {
  return globalThis.crypto?.subtle ? THRESHOLDS[kind] : undefined;
}

type Sealed = Parameters<Host['open']> extends [number, ...infer Rest] ? Rest : never;

interface ImportedKey {
  bytes: Uint8Array;
  key: Promise<CryptoKey>;
}

/** Decrypts the messages of a client. It keeps the keys of the last senders imported. */
export class AesGcm {
  /** The imported keys, the newest first. */
  #keys: ImportedKey[] = [];

  /** Decrypts a message. Rejects if the message is not authentic, or if the browser cannot decrypt it. */
  async decrypt(...[key, iv, associatedData, ciphertext]: Sealed): Promise<Uint8Array> {
    // The arguments are valid until this function returns its promise, so everything is copied before the first await.
    const parameters = { name: 'AES-GCM', iv: iv.slice(), additionalData: associatedData.slice() };
    const data = ciphertext.slice();
    return new Uint8Array(await crypto.subtle.decrypt(parameters, await this.#imported(key), data));
  }

  /** Returns a key of this client, or imports it. */
  #imported(bytes: Uint8Array): Promise<CryptoKey> {
    const known = this.#keys.find((imported) => imported.bytes.every((byte, index) => byte === bytes[index]));
    if (known) return known.key;
    const copy = bytes.slice();
    const key = crypto.subtle.importKey('raw', copy, 'AES-GCM', false, ['decrypt']);
    this.#keys = [{ bytes: copy, key }, ...this.#keys].slice(0, MAX_KEYS);
    // The next message of the sender tries again.
    key.catch(() => (this.#keys = this.#keys.filter((imported) => imported.key !== key)));
    return key;
  }
}
