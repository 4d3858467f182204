// Fetches channel tokens through the app's token function, and shares each token between the calls with this function.

import { checkToken } from '../arguments/options.js';
import { kindOf } from '../arguments/invalid.js';
import { failureOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { monotonicMs } from '../monotonic.js';
import { refusalIn } from './refusal.js';
import { valueOf } from './invoked.js';
import type { TokenProvider } from './token-provider.js';

/** The part of a token's lifetime during which new calls use it. */
const REUSE_FRACTION = 0.6;

/** The part of a token's lifetime during which another subscription renews with it instead of fetching a new one. */
const RECENT_FRACTION = 0.3;

/** The time after which the next call repeats a fetch that has not returned. */
const FETCH_TIMEOUT_MS = 10_000;

/** A time on both clocks of the page. */
interface Instant {
  monotonic: number;
  wall: number;
}

interface FetchedToken {
  requestedAt: Instant;
  result: Promise<string>;
  /** The token, once it has arrived. */
  token?: string;
  /** The first time at which this token arrived. */
  receivedAt?: Instant;
  /** The age in milliseconds up to which new calls use the token. */
  reusableMs: number;
  /** The age in milliseconds up to which other subscriptions renew with the token. */
  recentMs: number;
}

const fetchedTokens = new WeakMap<TokenProvider, FetchedToken>();

function now(): Instant {
  return { monotonic: monotonicMs(), wall: Date.now() };
}

/**
 * Returns the milliseconds since an instant. The page's clock may be wrong by hours, so only differences count. The
 * monotonic clock may stop while the machine sleeps, and the wall clock may be set back: the longer difference counts.
 */
function since(instant: Instant): number {
  const { monotonic, wall } = now();
  return Math.max(monotonic - instant.monotonic, wall - instant.wall);
}

/**
 * Fetches a new token, or joins the fetch that is pending. An error of the app keeps the code that a resolver function gave
 * it.
 */
export function freshToken(provider: TokenProvider): Promise<string> {
  const known = fetchedTokens.get(provider);
  // All calls wait for the same promise, so that they keep their order.
  if (known && isPending(known)) return known.result;
  // The function starts in a microtask, after the entry is stored: a call of the API inside it joins this fetch.
  const result = Promise.resolve().then(() => fetchToken(provider));
  const entry: FetchedToken = { requestedAt: now(), result, reusableMs: 0, recentMs: 0 };
  fetchedTokens.set(provider, entry);
  entry.result.then(
    (token) => {
      const isRepeated = known !== undefined && known.token === token;
      entry.receivedAt = (isRepeated && known.receivedAt) || now();
      // A token that the function returns again is reusable for a part of its remaining lifetime.
      const elapsed = since(entry.receivedAt);
      const lifetime = lifetimeMs(token);
      entry.reusableMs = elapsed + REUSE_FRACTION * Math.max(0, lifetime - elapsed);
      entry.recentMs = RECENT_FRACTION * lifetime;
      entry.token = token;
    },
    () => forget(provider, entry),
  );
  return entry.result;
}

/** Returns the token for a call: the given one, or one from the function, which consecutive calls share. */
export function tokenFor(
  given: string | TokenProvider | undefined,
): string | undefined | Promise<string | undefined> {
  if (typeof given !== 'function') return given;
  const entry = fetchedTokens.get(given);
  const isReusable = entry?.receivedAt !== undefined && since(entry.receivedAt) < entry.reusableMs;
  return isReusable ? entry.result : freshToken(given);
}

/** Returns the next token of a subscription: a new one, or the recent one of another subscription with this function. */
export function renewedToken(provider: TokenProvider): Promise<string> {
  const entry = fetchedTokens.get(provider);
  const isRecent = entry?.receivedAt !== undefined && since(entry.receivedAt) < entry.recentMs;
  return isRecent ? entry.result : freshToken(provider);
}

function isPending(entry: FetchedToken): boolean {
  return entry.token === undefined && since(entry.requestedAt) < FETCH_TIMEOUT_MS;
}

/** Drops a token that the relay refused, so that the next call fetches another. Returns whether it was the newest. */
export function refuseToken(provider: TokenProvider, token: string | undefined): boolean {
  const entry = fetchedTokens.get(provider);
  return entry !== undefined && entry.token === token && forget(provider, entry);
}

function forget(provider: TokenProvider, entry: FetchedToken): boolean {
  return fetchedTokens.get(provider) === entry && fetchedTokens.delete(provider);
}

async function fetchToken(provider: TokenProvider): Promise<string> {
  let token: unknown;
  try {
    token = valueOf(await provider());
  } catch (cause) {
    throw refusalIn(cause) ?? failureOf('The token function failed', cause);
  }
  try {
    const checked = checkToken(token);
    if (typeof checked === 'string') return checked;
  } catch {
    // The error below speaks of the function's result instead of the option.
  }
  const message = `The token function must return what signRealtimeToken() returned as token, not ${kindOf(token)}.`;
  throw new SealwireError('INVALID_ARGUMENT', message);
}

/** Returns the lifetime of a token in milliseconds, by the clock that signed it; 0 if the token does not tell. */
function lifetimeMs(token: string): number {
  try {
    const payload = token.split('.')[1] ?? '';
    const { iat, exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as Record<
      string,
      unknown
    >;
    return typeof exp === 'number' && typeof iat === 'number' ? Math.max(0, exp - iat) * 1000 : 0;
  } catch {
    return 0;
  }
}
