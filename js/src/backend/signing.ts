// Signs the messages of functions with the signing key of the installation, by Node's ECDSA with P-256.

import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';

import type { Sign, SigningKey } from '../core/resolver-core.js';

/** Creates signing keys and signs. */
export interface Signing {
  newKey: () => SigningKey;
  sign: Sign;
}

const CURVE = 'P-256';

export const nodeSigning: Signing = {
  newKey() {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
    const { d, x, y } = privateKey.export({ format: 'jwk' });
    return { d, x, y } as SigningKey;
  },

  sign(text, { d, x, y }) {
    const key = createPrivateKey({ key: { kty: 'EC', crv: CURVE, d, x, y }, format: 'jwk' });
    return sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' });
  },
};
