// usePublish: publishing to one channel.

import { useCallback, useInsertionEffect, useMemo } from 'react';

import type { Payload } from '../arguments/payload.js';
import type { PublishOptions, PublishResult } from '../browser/types.js';
import { useRealtime } from './context.js';
import { channelKey } from './subscription-key.js';

export interface UsePublishOptions extends PublishOptions {
  /** Publishes to the installation-wide channel of that name. */
  global?: boolean;
}

/**
 * Returns a function that publishes to the channel of its own render, also when it is called after another channel was
 * rendered. It is the same function while the channel, the options' values and the connection stay the same, and takes
 * the latest token of the same claims.
 */
export function usePublish<T extends Payload = Record<string, unknown>>(
  channel: string,
  options: UsePublishOptions = {},
): (payload: string | T, options?: PublishOptions) => Promise<PublishResult> {
  const realtime = useRealtime();
  const key = channelKey(channel, options, options.eventName);
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
