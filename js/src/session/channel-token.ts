// Channel tokens as an app gives them: a string, or a function that fetches one.

import { checkToken } from '../arguments/options.js';
import { kindOf } from '../arguments/invalid.js';
import { failureOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { refusalIn } from './refusal.js';

/** Fetches a channel token: what the resolver's signRealtimeToken() returned as `token`. */
export type TokenProvider = () => string | Promise<string>;

/** A token is used for new calls until so much of its life has passed. */
const REUSED = 0.6;

interface Fetched {
  token: Promise<string>;
  /** In Unix milliseconds; nothing is known before it is here. */
  until: number;
}

const fetched = new WeakMap<TokenProvider, Fetched>();

/** Asks the app. What it throws keeps the code that a resolver function gave it. */
export function freshToken(provider: TokenProvider): Promise<string> {
  // The function runs once its answer is known to be on the way: a call of the API from within it asks no second time.
  const entry: Fetched = { token: Promise.resolve().then(() => ask(provider)), until: Infinity };
  fetched.set(provider, entry);
  entry.token.then(
    (token) => (entry.until = Date.now() + REUSED * remainingMs(token)),
    () => fetched.get(provider) === entry && fetched.delete(provider),
  );
  // Everybody waits for the same promise, so that calls keep their order.
  return entry.token;
}

/** The token for a call: the one given, or one from the function, fetched at most once for calls that follow each other. */
export function tokenFor(
  given: string | TokenProvider | undefined,
): string | undefined | Promise<string | undefined> {
  if (typeof given !== 'function') return given;
  const entry = fetched.get(given);
  return entry && Date.now() < entry.until ? entry.token : freshToken(given);
}

async function ask(provider: TokenProvider): Promise<string> {
  let token: unknown;
  try {
    token = await provider();
  } catch (cause) {
    throw refusalIn(cause) ?? failureOf('The token function failed', cause);
  }
  try {
    const checked = checkToken(token);
    if (typeof checked === 'string') return checked;
  } catch {
    // Said below, in the words of a function's result.
  }
  const message = `The token function must return what signRealtimeToken() returned as token, not ${kindOf(token)}.`;
  throw new SealwireError('INVALID_ARGUMENT', message);
}

/** How long a token says that it lives; 0 where it says nothing. */
function remainingMs(token: string): number {
  try {
    const payload = token.split('.')[1] ?? '';
    const { exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as { exp?: unknown };
    return typeof exp === 'number' ? Math.max(0, exp * 1000 - Date.now()) : 0;
  } catch {
    return 0;
  }
}
