// Mints tokens and encodes messages for the test relay, in place of the Rust core. Nothing is encrypted.

import type { Signing } from '../backend/signing.js';
import type { InstallationSecret, ResolverModule } from '../core/resolver-core.js';
import { fromBase64, toBase64 } from './bytes.js';
import { eventTagOf, nameIn, tagOf, tagValues } from './name-tags.js';
import { refused } from './refused.js';
import { mintToken } from './tokens.js';

const DEFAULT_LIFETIME_SECONDS = 15 * 60;
const BACKEND_LIFETIME_SECONDS = 60;
/** The time for which the real core keeps a replaced key in use. */
const KEY_OVERLAP_SECONDS = 24 * 60 * 60 + 10 * 60;
const MAX_KEYS = 16;
const MAX_PROPERTIES = 8;

/** The content of `sealed` at the test relay. */
export interface Opened {
  /** JSON text. */
  payload: string;
  /** In Unix milliseconds. */
  publishedAt: number;
}

export function open(sealed: string): Opened {
  return fromBase64(sealed) as Opened;
}

function checkProperties(scope: Record<string, string>): void {
  if (Object.keys(scope).length <= MAX_PROPERTIES) return;
  throw refused('SCOPE_REFUSED', `a session's context and a scope have at most ${MAX_PROPERTIES} properties`);
}

let sealed = 0;

/** Signing keys in name only: the test relay knows from its own record that a function published a message. */
export const testSigning: Signing = {
  newKey: () => ({ d: 'test', x: 'test', y: 'test' }),
  sign: () => new Uint8Array(64),
  isPublicKey: () => true,
};

export const testResolverCore: ResolverModule = {
  newInstallationSecret: (nowSeconds, signing) => ({
    version: 1,
    routing: 'test',
    keys: [{ key: 'test', createdAt: nowSeconds, signing }],
  }),

  rotate: ({ version, routing, keys }, nowSeconds, signing): InstallationSecret => {
    const replacedAt = (index: number) => Math.min(keys[index - 1]?.createdAt ?? nowSeconds, nowSeconds);
    const kept = keys.filter((_, index) => replacedAt(index) + KEY_OVERLAP_SECONDS > nowSeconds);
    if (kept.length >= MAX_KEYS) {
      throw refused('RATE_LIMITED', `rotateKey() was called too often: ${MAX_KEYS} keys are still in use`);
    }
    return { version, routing, keys: [{ key: 'test', createdAt: nowSeconds, signing }, ...kept] };
  },

  mintSession: (session) => {
    const { app, installation, account, can, nowSeconds, blindNames } = session;
    checkProperties(session.context);
    const context = blindNames ? tagValues(installation, session.context) : session.context;
    const lifetime = session.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
    const claims = { aud: 'sealwire:session', ins: installation, sub: account, ctx: context, can } as const;
    return {
      token: mintToken(claims, nowSeconds, lifetime),
      expiresAt: nowSeconds + lifetime,
      app,
      installation,
      context,
      keys: [{ id: 'test', scopes: 'test', signer: 'test' }],
      ...(blindNames && { nameTagKey: 'test' }),
    };
  },

  signChannelToken: ({ installation, channel, claims, can, blindNames, ...times }) => {
    const { lifetimeSeconds, nowSeconds } = times;
    const lifetime = lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
    const jwt = mintToken(
      {
        aud: 'sealwire:channel',
        ins: installation,
        ch: blindNames ? tagOf(installation, 'channel', channel) : channel,
        tag: claims,
        can: can ?? ['subscribe', 'publish'],
      },
      nowSeconds,
      lifetime,
    );
    return { token: `${jwt}~test.test`, expiresAt: nowSeconds + lifetime };
  },

  mintBackendToken: ({ installation, nowSeconds }) =>
    mintToken({ aud: 'sealwire:backend', ins: installation }, nowSeconds, BACKEND_LIFETIME_SECONDS),

  seal: ({ installation, scope, channel, event, payload, idempotencyId, nowMs, blindNames }) => {
    checkProperties(scope);
    const seen = blindNames
      ? {
          scope: tagValues(installation, scope),
          channel: tagOf(installation, 'channel', channel),
          event: eventTagOf(installation, event),
        }
      : { scope, channel, event };
    sealed += 1;
    const message: Opened = { payload, publishedAt: nowMs };
    const id = idempotencyId === undefined ? `test-${sealed}` : `own-${idempotencyId}`;
    return { ...seen, sealed: toBase64(message), id, ticket: sealed };
  },

  settle: () => {},
  tagValues: (_, installation, context) => tagValues(installation, context),
  nameOf: (_, installation, tag) => nameIn(tag, installation),
};
