// Verifies the signatures of functions and pages with the browser's ECDSA with P-256.

import { invalid } from '../arguments/invalid.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { ALGORITHM, CURVE } from './ecdsa.js';

/** The number of public keys that one client keeps. A session has a few; each page that signs has one more. */
const MAX_KEYS = 1024;
const SIGNATURE_BYTES = 64;

/** Returns whether the page has WebCrypto. A page without HTTPS does not. */
export function verifiesSignatures(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

/** Refuses a call that needs verified senders or members on a page that cannot verify them. `option` is in the error. */
export function needSignatures(option: string): void {
  if (verifiesSignatures()) return;
  throw invalid(
    `The option ${option} needs WebCrypto, which this page lacks. Serve the page with HTTPS, or leave the option out.`,
  );
}

/** Refuses to sign on a page that cannot. */
export function needSigning(): void {
  if (verifiesSignatures()) return;
  throw new SealwireError(
    'SIGNING_UNAVAILABLE',
    'Signing needs WebCrypto, which this page lacks. Serve the page with HTTPS, or pass signed: false.',
    { mayHaveArrived: false },
  );
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The public keys of one client: those of its session, and those of pages with a verified certificate. */
export class SignatureVerifier {
  /** From the key that was used least recently to the one that was used last. */
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  /**
   * Resolves with whether the signature is valid, and the certificate if there is one. A malformed key verifies nothing. Equal
   * certificates are verified once.
   */
  async verify(
    signer: string,
    text: Uint8Array,
    signature: Uint8Array,
    issuer: string,
    certificate: Uint8Array,
  ): Promise<boolean> {
    // The arguments are valid until this function returns its promise, so they are copied before the first await.
    const [signed, bytes, certified] = [text.slice(), signature.slice(), certificate.slice()];
    try {
      const key = issuer === '' ? this.#key(signer) : this.#certifiedKey(signer, issuer, certified);
      return await crypto.subtle.verify(ALGORITHM, await key, bytes, signed);
    } catch {
      return false;
    }
  }

  #key(signer: string): Promise<CryptoKey> {
    return this.#kept(signer, () =>
      crypto.subtle.importKey('raw', bytesOf(signer), CURVE, false, ['verify']),
    );
  }

  /** Resolves with the key of a page. Rejects if its certificate is false. */
  #certifiedKey(signer: string, issuer: string, certificate: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
    return this.#kept([issuer, ...certificate].join(), async () => {
      const end = certificate.length - SIGNATURE_BYTES;
      const [text, signature] = [certificate.subarray(0, end), certificate.subarray(end)];
      const isValid = await crypto.subtle.verify(ALGORITHM, await this.#key(issuer), signature, text);
      if (!isValid) throw new Error('The certificate is false.');
      return crypto.subtle.importKey('raw', bytesOf(signer), CURVE, false, ['verify']);
    });
  }

  #kept(name: string, make: () => Promise<CryptoKey>): Promise<CryptoKey> {
    const key = this.#keys.get(name) ?? make();
    this.#keys.delete(name);
    this.#keys.set(name, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > MAX_KEYS) this.#keys.delete(oldest as string);
    return key;
  }
}
