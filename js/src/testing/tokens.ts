// The tokens of the test relay. They have the shape and the claims of real tokens, but are neither signed nor secret.

import type { Permission } from '../core/resolver-core.js';
import { fromBase64Url, toBase64Url } from './bytes.js';
import { refused } from './refused.js';

export interface SessionClaims {
  aud: 'sealwire:session';
  ins: string;
  sub: string;
  ctx: Record<string, string>;
  can: Permission[];
}

export interface ChannelClaims {
  aud: 'sealwire:channel';
  ins: string;
  ch: string;
  /** The app's claims in their canonical form. A real relay receives only a tag of them. */
  tag: string;
  can: Permission[];
}

export interface BackendClaims {
  aud: 'sealwire:backend';
  ins: string;
}

type Claims = SessionClaims | ChannelClaims | BackendClaims;

/** The claims of a minted token. */
export type Minted<C> = C & {
  /** The number of the token in this process, by which expire() ends the existing tokens. */
  jti: number;
  /** In Unix seconds. */
  iat: number;
  exp: number;
};

/** The claims of a session, and whether its app has blind names. */
export type LiveSession = Minted<SessionClaims> & { isBlind: boolean };

const HEADER = toBase64Url({ alg: 'none' });

let minted = 0;

/** Returns the number of tokens that were minted so far. */
export function tokensMinted(): number {
  return minted;
}

export function mintToken(claims: Claims, nowSeconds: number, lifetimeSeconds: number): string {
  minted += 1;
  const all = { ...claims, jti: minted, iat: nowSeconds, exp: nowSeconds + lifetimeSeconds };
  return `${HEADER}.${toBase64Url(all)}.test`;
}

/** Reads a token of mintToken(). It does not check whether the token has expired. */
export function readToken<C extends Claims>(token: string, audience: C['aud']): Minted<C> {
  let claims: Minted<C> | undefined;
  try {
    const [header, payload, signature] = token.split('.');
    if (header === HEADER && signature === 'test') claims = fromBase64Url(payload ?? '') as Minted<C>;
  } catch {
    // The check below refuses the token.
  }
  if (claims === undefined) throw refused('TOKEN_MALFORMED', 'the token is not one of this test relay');
  if (claims.aud !== audience) throw refused('TOKEN_AUDIENCE', 'the token is of another kind');
  return claims;
}

/** Reads a channel token, as signRealtimeToken() returned it. */
export function readChannelToken(token: string): Minted<ChannelClaims> {
  const [jwt, keys] = token.split('~', 2);
  if (!keys) throw refused('TOKEN_MALFORMED', 'the token was not created by signRealtimeToken()');
  return readToken<ChannelClaims>(jwt as string, 'sealwire:channel');
}
