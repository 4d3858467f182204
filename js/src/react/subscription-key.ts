// Decides whether two renders of a hook use the same channel.

import type { ChannelOptions } from '../browser/subscription-types.js';

/** The options that both hooks have. */
type Options = ChannelOptions & { global?: boolean };

/**
 * Returns a value that is equal for tokens with the same claims, which renew each other. An unreadable token is equal to itself
 * only, and all functions are equal.
 */
function claimsOf(token: unknown): unknown {
  if (typeof token !== 'string') return typeof token;
  try {
    const payload = token.split('.')[1] ?? '';
    const { tag } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as { tag?: unknown };
    return typeof tag === 'string' ? { tag } : { token };
  } catch {
    return { token };
  }
}

/** Returns a key that is equal for calls with the same channel. `more` are further values that distinguish calls. */
export function channelKey(channel: string, options: Options, ...more: unknown[]): string {
  const { global = false, contextOverrides, token } = options;
  const scope: unknown = Array.isArray(contextOverrides) ? [...contextOverrides].sort() : contextOverrides;
  return JSON.stringify([channel, global, scope, claimsOf(token), ...more]);
}
