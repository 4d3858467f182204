// Turns a call's channel name and options into what the core addresses a channel by.

import { checkChannelName } from '../arguments/names.js';
import { checkToken } from '../arguments/options.js';
import { checkOverrides, refuseOverridesForGlobal } from '../arguments/overrides.js';
import type { ChannelSpec } from '../core/browser-core.js';

export function channelSpec(
  channel: unknown,
  options: Record<string, unknown>,
  global: boolean,
): ChannelSpec {
  const name = checkChannelName(channel);
  const token = checkToken(options['token']);
  const overrides = options['contextOverrides'];
  if (global) refuseOverridesForGlobal(overrides);
  const scope = global ? [] : checkOverrides(overrides);
  return { name, ...(scope && { scope }), ...(token !== undefined && { token }) };
}
