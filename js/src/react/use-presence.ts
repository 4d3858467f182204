// usePresence(): the members of a channel, and the page as one of them.

import { useEffect, useInsertionEffect, useRef, useState } from 'react';

import type { PresenceOptions } from '../browser/presence-types.js';
import type { TokenProvider } from '../session/token-provider.js';
import { useRealtime } from './context.js';
import { OpenPresence } from './open-presence.js';
import type { PresenceState, UsePresenceOptions } from './presence-state.js';
import { channelKey } from './subscription-key.js';

const OFF: PresenceState = { status: 'off', members: [] };
const OPENING: PresenceState = { status: 'opening', members: [] };

/** Returns the options of the presence, whose functions are those of the latest render. */
function presenceOptions(latest: { readonly current: UsePresenceOptions }): PresenceOptions {
  const { data: _, enter: __, onError, token, ...options } = latest.current;
  return {
    ...options,
    ...(onError && { onError: (error) => latest.current.onError?.(error) }),
    ...(typeof token === 'function' && { token: () => (latest.current.token as TokenProvider)() }),
    ...(typeof token === 'string' && { token }),
  };
}

/**
 * Shows the members of a channel, and makes the page one of them, while the component is mounted and visible. The page leaves
 * at once when the component unmounts. Another channel or another value of an option opens another presence; another `data`
 * updates the member, and a new token with the same claims renews the presence.
 *
 * @param channel - The name of the channel. With null or undefined, there is no presence.
 * @param options - The scope or token of the channel, the data of the page's member, `tabs`, `members` and `signed`.
 * @typeParam T - The type of the members' data.
 * @returns The members and the state.
 *
 * @example
 * ```tsx
 * const { members } = usePresence('dashboard', { data: { name }, tabs: 'merged', contextOverrides: [Jira.Dashboard] });
 * ```
 */
export function usePresence<T = any>(
  channel: string | null | undefined,
  options: UsePresenceOptions<T> = {},
): PresenceState<T> {
  const realtime = useRealtime();
  const { tabs, members, signed } = options;
  const key = channel == null ? undefined : channelKey(channel, options, tabs, members, signed);
  const data = options.enter === false ? undefined : JSON.stringify(options.data ?? null);
  const latest = useRef<UsePresenceOptions>(options);
  // An insertion effect runs before all other effects of a commit. A render that is not committed changes nothing.
  useInsertionEffect(() => {
    latest.current = options;
  });
  const [shown, setShown] = useState<{ of: OpenPresence; key: string; state: PresenceState }>();
  const kept = useRef<{ presence: OpenPresence; key: string; realtime: unknown } | undefined>(undefined);
  useEffect(() => {
    if (channel == null || key === undefined) return undefined;
    const before = kept.current;
    if (!before || before.key !== key || before.realtime !== realtime || before.presence.isOver) {
      const presence = new OpenPresence(realtime, channel, () => presenceOptions(latest));
      kept.current = { presence, key, realtime };
    }
    const of = (kept.current as { presence: OpenPresence }).presence;
    of.hold((state) => setShown({ of, key, state }));
    return () => of.release();
    // The key covers the channel and all options.
  }, [realtime, key]);
  useEffect(() => kept.current?.presence.enter(data), [realtime, key, data]);
  useEffect(() => kept.current?.presence.renew(options.token), [options.token]);

  if (key === undefined) return OFF;
  return shown?.key === key && shown.of === kept.current?.presence ? shown.state : OPENING;
}
