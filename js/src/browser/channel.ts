// Turns a call's channel name and options into what the core addresses a channel by.

import { checkChannelName } from '../arguments/names.js';
import { checkTokenOrProvider } from '../arguments/options.js';
import { checkOverrides, refuseOverridesForGlobal } from '../arguments/overrides.js';
import type { ChannelSpec } from '../core/browser-core.js';
import { tokenFor, type TokenProvider } from '../session/channel-token.js';
import { slowFunction, type Wait } from './wait.js';

export interface NamedChannel {
  spec: ChannelSpec;
  /** The app's function for tokens, where it has one; the spec lacks its token until withToken(). */
  provider?: TokenProvider;
}

export function channelSpec(
  channel: unknown,
  options: Record<string, unknown>,
  global: boolean,
): NamedChannel {
  const name = checkChannelName(channel);
  const token = checkTokenOrProvider(options['token']);
  const overrides = options['contextOverrides'];
  if (global) refuseOverridesForGlobal(overrides);
  const scope = global ? [] : checkOverrides(overrides);
  const spec = { name, ...(scope && { scope }) };
  if (typeof token === 'function') return { spec, provider: token };
  return { spec: { ...spec, ...(token !== undefined && { token }) } };
}

/** The spec with a token of the app's function. */
export async function withToken({ spec, provider }: NamedChannel, wait: Wait): Promise<ChannelSpec> {
  wait.check();
  const asked = Promise.resolve(tokenFor(provider));
  const token = await wait.for(asked, () => slowFunction('The token function'));
  return token === undefined ? spec : { ...spec, token };
}

/** Equal for calls that name one channel. What a token's claims are is not known here. */
export function laneOf({ spec, provider }: NamedChannel): string {
  const hasClaims = provider !== undefined || spec.token !== undefined;
  return JSON.stringify([spec.name, spec.scope && [...spec.scope].sort(), hasClaims]);
}
