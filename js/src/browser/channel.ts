// Converts a call's channel name and options into the address that the core uses for a channel.

import { checkChannelName } from '../arguments/names.js';
import { checkOverrides, refuseOverridesForGlobal } from '../arguments/overrides.js';
import type { ChannelSpec } from '../core/browser-core.js';
import { tokenFor } from '../session/channel-token.js';
import { checkTokenOrProvider, type TokenProvider } from '../session/token-provider.js';
import { slowFunction, type Wait } from './wait.js';

export interface NamedChannel {
  spec: ChannelSpec;
  /** The app's token function, if there is one. The spec then lacks its token until `withToken()`. */
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

/** Returns the spec with a token from the app's function. */
export async function withToken({ spec, provider }: NamedChannel, wait: Wait): Promise<ChannelSpec> {
  wait.throwIfEnded();
  const token = await wait.for(Promise.resolve(tokenFor(provider)), () => slowFunction('The token function'));
  return token === undefined ? spec : { ...spec, token };
}

/** Returns a text that is equal for calls with the same channel. The claims of a token are not part of it. */
export function channelKeyOf({ spec, provider }: NamedChannel): string {
  const hasClaims = provider !== undefined || spec.token !== undefined;
  return JSON.stringify([spec.name, spec.scope && [...spec.scope].sort(), hasClaims]);
}
