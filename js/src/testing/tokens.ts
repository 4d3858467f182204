// The tokens of the test relay: of the same shape and with the same claims as real ones, but neither signed nor secret.

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
  /** The app's claims in their canonical form; a real relay sees their tag only. */
  tag: string;
  can: Permission[];
}

export interface BackendClaims {
  aud: 'sealwire:backend';
  ins: string;
}

type Claims = SessionClaims | ChannelClaims | BackendClaims;

export type Minted<C> = C & {
  /** Counts the tokens of this process: expire() ends those that there are. */
  jti: number;
  /** Unix seconds. */
  iat: number;
  exp: number;
};

const HEADER = toBase64Url({ alg: 'none' });

let minted = 0;

/** How many tokens there are so far. */
export function tokensMinted(): number {
  return minted;
}

export function mintToken(claims: Claims, nowSeconds: number, lifetimeSeconds: number): string {
  minted += 1;
  const all = { ...claims, jti: minted, iat: nowSeconds, exp: nowSeconds + lifetimeSeconds };
  return `${HEADER}.${toBase64Url(all)}.test`;
}

/** Reads what mintToken() made. Whether it is still valid is for the relay to say. */
export function readToken<C extends Claims>(token: string, audience: C['aud']): Minted<C> {
  let claims: Minted<C> | undefined;
  try {
    const [header, payload, signature] = token.split('.');
    if (header === HEADER && signature === 'test') claims = fromBase64Url(payload ?? '') as Minted<C>;
  } catch {
    // Refused below.
  }
  if (claims === undefined) throw refused('TOKEN_MALFORMED', 'the token is not one of this test relay');
  if (claims.aud !== audience) throw refused('TOKEN_AUDIENCE', 'the token is of another kind');
  return claims;
}

/** What signRealtimeToken() returned, as the page and the relay read it. */
export function readChannelToken(token: string): Minted<ChannelClaims> {
  const [jwt, keys] = token.split('~', 2);
  if (!keys) throw refused('TOKEN_MALFORMED', 'the token is not one of signRealtimeToken()');
  return readToken<ChannelClaims>(jwt as string, 'sealwire:channel');
}

/** Claims that are equal have the same canonical text (RFC 8785 for everything that JSON.parse can return). */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
