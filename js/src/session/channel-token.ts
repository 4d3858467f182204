// Channel tokens as an app gives them: a string, or a function that fetches one.

import { checkToken } from '../arguments/options.js';
import { kindOf } from '../arguments/invalid.js';
import { failureOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { refusalIn } from './refusal.js';
import { monotonicMs } from '../monotonic.js';

/** Fetches a channel token: what the resolver's signRealtimeToken() returned as `token`. */
export type TokenProvider = () => string | Promise<string>;

/** A token is used for new calls until so much of its life has passed. */
const REUSED = 0.6;

/** A token of which less has passed is as good as a new one for another subscription with the same function. */
const RECENT = 0.3;

/** A function that has not answered for so long is called again by the next call that needs a token. */
const PATIENCE_MS = 10_000;

/** A moment by both clocks of the page. */
interface Moment {
  monotonic: number;
  wall: number;
}

interface Fetched {
  asked: Moment;
  answer: Promise<string>;
  /** The token, once it is here, and when it first was. */
  token?: string;
  came?: Moment;
  /** For how long from then on it is used for new calls, and for other subscriptions, in milliseconds. */
  usedMs: number;
  recentMs: number;
}

const fetched = new WeakMap<TokenProvider, Fetched>();

function now(): Moment {
  return { monotonic: monotonicMs(), wall: Date.now() };
}

/**
 * Milliseconds since a moment. The page's clock may be wrong by hours, so only differences count; the monotonic clock may
 * stand still while the machine sleeps, and the wall clock may be set back, so the longer of both does.
 */
function since(moment: Moment): number {
  const { monotonic, wall } = now();
  return Math.max(monotonic - moment.monotonic, wall - moment.wall);
}

/** Asks the app, unless it is being asked. What it throws keeps the code that a resolver function gave it. */
export function freshToken(provider: TokenProvider): Promise<string> {
  const known = fetched.get(provider);
  // Everybody waits for the same promise, so that calls keep their order.
  if (known && isPending(known)) return known.answer;
  // The function runs once its answer is known to be on the way: a call of the API from within it asks no second time.
  const answer = Promise.resolve().then(() => ask(provider));
  const entry: Fetched = { asked: now(), answer, usedMs: 0, recentMs: 0 };
  fetched.set(provider, entry);
  entry.answer.then(
    (token) => {
      const again = known !== undefined && known.token === token;
      entry.came = (again && known.came) || now();
      // Of a token that the function keeps, part of what is left.
      const elapsed = since(entry.came);
      const lifetime = lifetimeMs(token);
      entry.usedMs = elapsed + REUSED * Math.max(0, lifetime - elapsed);
      entry.recentMs = RECENT * lifetime;
      entry.token = token;
    },
    () => forget(provider, entry),
  );
  return entry.answer;
}

/** The token for a call: the one given, or one from the function, fetched at most once for calls that follow each other. */
export function tokenFor(
  given: string | TokenProvider | undefined,
): string | undefined | Promise<string | undefined> {
  if (typeof given !== 'function') return given;
  const entry = fetched.get(given);
  const used = entry?.came !== undefined && since(entry.came) < entry.usedMs;
  return used ? entry.answer : freshToken(given);
}

/** The next token of a subscription: a new one, or the one that another subscription with the function has just got. */
export function renewedToken(provider: TokenProvider): Promise<string> {
  const entry = fetched.get(provider);
  const recent = entry?.came !== undefined && since(entry.came) < entry.recentMs;
  return recent ? entry.answer : freshToken(provider);
}

function isPending(entry: Fetched): boolean {
  return entry.token === undefined && since(entry.asked) < PATIENCE_MS;
}

/** The relay refused this token of the function: the next call asks for another one. Returns whether it was the newest. */
export function refuseToken(provider: TokenProvider, token: string | undefined): boolean {
  const entry = fetched.get(provider);
  return entry !== undefined && entry.token === token && forget(provider, entry);
}

function forget(provider: TokenProvider, entry: Fetched): boolean {
  return fetched.get(provider) === entry && fetched.delete(provider);
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

/** How long a token lives from its signing on, by the clock that signed it; 0 where it says nothing. */
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
