// The signature algorithm of Sealwire, as WebCrypto names it.

export const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
export const ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };
