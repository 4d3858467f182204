// Signs the messages of functions and the certificates of pages with the signing key of the installation, by Node's ECDSA with P-256.

import type { Sign, SigningKey } from '../core/resolver-core.js';

/** Creates signing keys and signs. */
export interface Signing {
  newKey: () => SigningKey;
  sign: Sign;
  /** Returns whether a text is a point of P-256 without compression, 65 bytes in base64url. */
  isPublicKey: (text: string) => boolean;
}

const CURVE = 'P-256';

/** Returns Node's module, which takes 2 to 3 ms to load: only a function that signs pays for it. */
const nodeCrypto = () => process.getBuiltinModule('node:crypto');

export const nodeSigning: Signing = {
  newKey() {
    const { privateKey } = nodeCrypto().generateKeyPairSync('ec', { namedCurve: CURVE });
    const { d, x, y } = privateKey.export({ format: 'jwk' });
    return { d, x, y } as SigningKey;
  },

  sign(text, { d, x, y }) {
    const { createPrivateKey, sign } = nodeCrypto();
    const key = createPrivateKey({ key: { kty: 'EC', crv: CURVE, d, x, y }, format: 'jwk' });
    return sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' });
  },

  isPublicKey(text) {
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.length !== 65 || bytes[0] !== 4 || bytes.toString('base64url') !== text) return false;
    const [x, y] = [bytes.subarray(1, 33), bytes.subarray(33)].map((half) => half.toString('base64url'));
    try {
      nodeCrypto().createPublicKey({
        key: { kty: 'EC', crv: CURVE, x: x as string, y: y as string },
        format: 'jwk',
      });
      return true;
    } catch {
      return false;
    }
  },
};
