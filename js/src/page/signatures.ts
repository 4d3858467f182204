// Verifies the signatures of functions with the browser's ECDSA with P-256.

import { invalid } from '../arguments/invalid.js';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };

/** Returns whether the page has WebCrypto. A page without HTTPS does not. */
export function verifiesSignatures(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

/** Refuses a subscription that needs verified senders on a page that cannot verify them. */
export function needSignatures(): void {
  if (verifiesSignatures()) return;
  throw invalid(
    "The option senders: 'function' needs WebCrypto, which this page lacks. Serve the page with HTTPS, or leave the option out.",
  );
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The imported public keys of one client. A session has one for each encryption key in use. */
export class SignatureVerifier {
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  /** Resolves with whether the signature is valid. A malformed key verifies nothing. */
  async verify(signer: string, text: Uint8Array, signature: Uint8Array): Promise<boolean> {
    // The arguments are valid until this function returns its promise, so they are copied before the first await.
    const [signed, bytes] = [text.slice(), signature.slice()];
    try {
      return await crypto.subtle.verify(ALGORITHM, await this.#key(signer), bytes, signed);
    } catch {
      return false;
    }
  }

  #key(signer: string): Promise<CryptoKey> {
    const known = this.#keys.get(signer);
    if (known) return known;
    const key = crypto.subtle.importKey('raw', bytesOf(signer), CURVE, false, ['verify']);
    this.#keys.set(signer, key);
    return key;
  }
}
