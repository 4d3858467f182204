// usePublish(): publishes to one channel.

import { useCallback, useInsertionEffect, useMemo } from 'react';

import type { Payload } from '../arguments/payload.js';
import type { PublishOptions, PublishResult } from '../browser/types.js';
import { useRealtime } from './context.js';
import { channelKey } from './subscription-key.js';

/** The options of `usePublish`. */
export interface UsePublishOptions extends PublishOptions {
  /** True to use the installation-wide channel of this name. The default is false. */
  global?: boolean;
}

/**
 * Returns a function that publishes to the channel of its own render, even if it is called after a render with another
 * channel. It is the same function while the channel, the options' values and the client stay the same, and it uses the
 * latest token with the same claims.
 *
 * @param channel - The name of the channel.
 * @param options - The options of every publish.
 * @returns The function. It takes a payload and options that override those of the hook.
 *
 * @example
 * ```tsx
 * const publish = usePublish('absences', { contextOverrides: [Jira.Dashboard] });
 * <button onClick={() => publish({ name: 'Anna' })}>Add</button>;
 * ```
 */
export function usePublish<T extends Payload = Record<string, unknown>>(
  channel: string,
  options: UsePublishOptions = {},
): (payload: string | T, options?: PublishOptions) => Promise<PublishResult> {
  const realtime = useRealtime();
  const key = channelKey(channel, options, options.eventName, options.signed);
  const latest = useMemo(() => ({ options }), [realtime, key]);
  useInsertionEffect(() => {
    latest.options = options;
  });
  return useCallback(
    (payload, given) => {
      const { global = false, ...shared } = latest.options;
      return (global ? realtime.publishGlobal : realtime.publish)(channel, payload, { ...shared, ...given });
    },
    [latest],
  );
}
