// Mints and "seals" for the test relay, in place of the Rust core. Nothing here is encrypted.

import type { InstallationSecret, ResolverModule } from '../core/resolver-core.js';
import { fromBase64, toBase64 } from './bytes.js';
import { refused } from './refused.js';
import { canonical, mintToken } from './tokens.js';

const DEFAULT_LIFETIME_SECONDS = 15 * 60;
const BACKEND_LIFETIME_SECONDS = 60;
const MAX_PROPERTIES = 8;

/** What a test relay's `sealed` holds. */
export interface Opened {
  /** JSON text. */
  payload: string;
  publishedAt: number;
}

export function open(sealed: string): Opened {
  return JSON.parse(fromBase64(sealed)) as Opened;
}

function checkProperties(scope: Record<string, string>): void {
  if (Object.keys(scope).length <= MAX_PROPERTIES) return;
  throw refused('SCOPE_REFUSED', `a session's context and a scope have at most ${MAX_PROPERTIES} properties`);
}

let sealed = 0;

export const testResolverCore: ResolverModule = {
  newInstallationSecret: (nowSeconds) => ({
    version: 1,
    routing: 'test',
    keys: [{ key: 'test', createdAt: nowSeconds }],
  }),

  rotate: ({ version, routing, keys }, nowSeconds, overlapSeconds): InstallationSecret => {
    // A key is in use until the next one was made, and for the overlap after that.
    const kept = keys.filter((_, index) => {
      const replacedAt = index === 0 ? nowSeconds : (keys[index - 1]?.createdAt ?? nowSeconds);
      return replacedAt + overlapSeconds > nowSeconds;
    });
    return { version, routing, keys: [{ key: 'test', createdAt: nowSeconds }, ...kept] };
  },

  mintSession: (session) => {
    const { app, installation, account, context, can, nowSeconds } = session;
    checkProperties(context);
    const lifetime = session.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
    const claims = { aud: 'sealwire:session', ins: installation, sub: account, ctx: context, can } as const;
    return {
      token: mintToken(claims, nowSeconds, lifetime),
      expiresAt: nowSeconds + lifetime,
      app,
      installation,
      context,
      keys: [{ id: 'test', scopes: 'test' }],
    };
  },

  signChannelToken: ({ installation, channel, claimsJson, can, lifetimeSeconds, nowSeconds }) => {
    const lifetime = lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
    const jwt = mintToken(
      {
        aud: 'sealwire:channel',
        ins: installation,
        ch: channel,
        tag: canonical(JSON.parse(claimsJson)),
        can: can ?? ['subscribe', 'publish'],
      },
      nowSeconds,
      lifetime,
    );
    return { token: `${jwt}~test.test`, expiresAt: nowSeconds + lifetime };
  },

  mintBackendToken: ({ installation, nowSeconds }) =>
    mintToken({ aud: 'sealwire:backend', ins: installation }, nowSeconds, BACKEND_LIFETIME_SECONDS),

  seal: ({ scope, payload, nowMs }) => {
    checkProperties(scope);
    sealed += 1;
    const message: Opened = { payload, publishedAt: nowMs };
    return { sealed: toBase64(JSON.stringify(message)), id: `test-${sealed}` };
  },
};
