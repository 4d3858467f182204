// The rules of a session at the test relay, which are those of the real relay.

import type { ChannelSpec } from '../core/browser-core.js';
import type { Permission } from '../core/resolver-core.js';
import type { Address } from './hub.js';
import { tagOf } from './name-tags.js';
import { refused } from './refused.js';
import type { ChannelClaims, LiveSession, Minted } from './tokens.js';

/** Returns whether a token has expired. */
export type IsExpired = (claims: Minted<unknown>) => boolean;

function check(allowed: boolean, permission: Permission, holder: string): void {
  if (!allowed) throw refused('PERMISSION_MISSING', `the ${holder} has no permission to ${permission}`);
}

/** Returns the part of the session's context that a channel's scope keeps. */
function scopeOf(context: Record<string, string>, kept: string[] | undefined): Record<string, string> {
  if (kept === undefined) return context;
  const values = new Map(Object.entries(context));
  return Object.fromEntries(
    kept.map((property) => {
      const value = values.get(property);
      if (value !== undefined) return [property, value];
      throw refused('SCOPE_REFUSED', `the session's context has no property '${property}'`);
    }),
  );
}

/** Throws if a channel token does not permit this use of the channel. */
export function checkChannelToken(
  claims: Minted<ChannelClaims>,
  { installation, name }: { installation: string; name: string },
  permission: Permission,
  isExpired: IsExpired,
): void {
  if (isExpired(claims)) throw refused('TOKEN_EXPIRED', 'the channel token has expired; sign a fresh one');
  if (claims.ins !== installation) {
    throw refused('TOKEN_INSTALLATION', 'the channel token is for another installation');
  }
  if (claims.ch !== name) throw refused('TOKEN_CHANNEL', 'the channel token is for another channel');
  check(claims.can.includes(permission), permission, 'channel token');
}

/** Returns the channel of a page's call. Throws if the session does not permit this use of it. */
export function addressOf(
  session: LiveSession,
  spec: ChannelSpec,
  token: Minted<ChannelClaims> | undefined,
  permission: Permission,
  isExpired: IsExpired,
): Address {
  const installation = session.ins;
  const name = session.isBlind ? tagOf(installation, 'channel', spec.name) : spec.name;
  const kept = scopeOf(session.ctx, spec.scope);
  check(session.can.includes(permission), permission, 'session');
  if (token) checkChannelToken(token, { installation, name }, permission, isExpired);
  return { installation, scope: kept, claims: token?.tag, name };
}
