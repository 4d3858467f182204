// usePublish: publishing to one channel.

import { useCallback, useInsertionEffect, useRef } from 'react';

import type { Payload } from '../arguments/payload.js';
import type { PublishOptions, PublishResult } from '../browser/types.js';
import { useRealtime } from './context.js';

export interface UsePublishOptions extends PublishOptions {
  /** Publishes to the installation-wide channel of that name. */
  global?: boolean;
}

/** The same function at every render. It publishes with the channel and the options of the last one. */
export function usePublish<T extends Payload = Record<string, unknown>>(
  channel: string,
  options: UsePublishOptions = {},
): (payload: string | T, options?: PublishOptions) => Promise<PublishResult> {
  const realtime = useRealtime();
  const latest = useRef({ realtime, channel, options });
  useInsertionEffect(() => {
    latest.current = { realtime, channel, options };
  });
  return useCallback((payload, given) => {
    const { realtime, channel, options } = latest.current;
    const { global = false, ...shared } = options;
    return (global ? realtime.publishGlobal : realtime.publish)(channel, payload, { ...shared, ...given });
  }, []);
}
