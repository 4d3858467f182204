// The function of an app that fetches channel tokens, as the option `token` takes it.

import { checkToken } from '../arguments/options.js';
import type { Invoked } from './invoked.js';

/**
 * Fetches a channel token: returns the `token` that the resolver's `signRealtimeToken()` returned. It is called for the
 * first call that needs a token, and again before a token expires.
 *
 * @example
 * ```ts
 * const token: TokenProvider = () => invoke('channelToken', { team });
 * ```
 */
export type TokenProvider = () => Invoked<string> | Promise<Invoked<string>>;

/** Checks the option `token`: a channel token, or a function that fetches one. */
export function checkTokenOrProvider(token: unknown): string | TokenProvider | undefined {
  return typeof token === 'function' ? (token as TokenProvider) : checkToken(token);
}
