// Decides which renders of a hook mean the same channel.

import type { ChannelOptions } from '../browser/types.js';

/** What the options of both hooks have in common. */
type Options = ChannelOptions & { global?: boolean };

/**
 * The claims of a channel token: tokens with the same tag renew each other. A token that cannot be read stands for
 * itself, and a function for whatever it fetches.
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

/** Equal for calls that mean the same channel; `more` are further values that tell calls apart. */
export function channelKey(channel: string, options: Options, ...more: unknown[]): string {
  const { global = false, contextOverrides, token } = options;
  const scope: unknown = Array.isArray(contextOverrides) ? [...contextOverrides].sort() : contextOverrides;
  return JSON.stringify([channel, global, scope, claimsOf(token), ...more]);
}
