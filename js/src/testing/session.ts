// The session of one client at the test relay. It is fetched from the app, renewed before it expires, and fetched again after.

import type { Host } from '../core/browser-core.js';
import { errorFromCore } from '../errors/from-core.js';
import type { IsExpired } from './rules.js';
import { refused } from './refused.js';
import { readToken, type LiveSession, type Minted, type SessionClaims } from './tokens.js';
import { later, type Timer } from './timing.js';

/** The part of a session's lifetime after which it is renewed. */
const RENEWAL_FRACTION = 0.75;
const MIN_RETRY_MS = 1_000;

/** The relay's clock and rules. */
interface Rules {
  now: () => number;
  isExpired: IsExpired;
  isRevoked: (claims: Minted<SessionClaims>) => boolean;
}

export class TestSession {
  readonly #host: Host;
  readonly #now: () => number;
  readonly #isExpired: IsExpired;
  readonly #isRevoked: (claims: Minted<SessionClaims>) => boolean;
  readonly #ended: () => void;
  #claims: LiveSession | undefined;
  #fetching = 0;
  #renewal: Timer | undefined;
  #expiry: Timer | undefined;

  /** `ended` is called when a session has expired without a renewal. */
  constructor(host: Host, { now, isExpired, isRevoked }: Rules, ended: () => void) {
    this.#host = host;
    this.#now = now;
    this.#isExpired = isExpired;
    this.#isRevoked = isRevoked;
    this.#ended = ended;
  }

  /** The claims of the current session; undefined if there is none, or if it has expired or was revoked. */
  get current(): LiveSession | undefined {
    return this.#claims && !this.#isExpired(this.#claims) && !this.isRevoked ? this.#claims : undefined;
  }

  get isRevoked(): boolean {
    return this.#claims !== undefined && this.#isRevoked(this.#claims);
  }

  /** True if a request to the app is pending. */
  get isFetching(): boolean {
    return this.#fetching > 0;
  }

  async fetch(reason: 'connect' | 'refresh'): Promise<LiveSession> {
    this.#fetching += 1;
    const grant = await this.#host.session(reason).finally(() => (this.#fetching -= 1));
    const isBlind = grant.nameTagKey !== undefined;
    const claims = { ...readToken<SessionClaims>(grant.token, 'sealwire:session'), isBlind };
    if (this.#isExpired(claims)) throw refused('TOKEN_EXPIRED', 'the session token has expired');
    this.#claims = claims;
    this.#schedule(claims);
    return claims;
  }

  /** Stops the timers. */
  stop(): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#expiry);
  }

  forget(): void {
    this.stop();
    this.#claims = undefined;
  }

  #schedule(claims: Minted<SessionClaims>): void {
    this.stop();
    const remaining = claims.exp * 1000 - this.#now();
    this.#expiry = later(remaining, this.#ended);
    this.#renewLater(claims, remaining * RENEWAL_FRACTION);
  }

  #renewLater(claims: Minted<SessionClaims>, delay: number): void {
    this.#renewal = later(delay, () => {
      this.fetch('refresh').catch((thrown: unknown) => {
        // A retry is possible as long as the current session lives.
        const remaining = claims.exp * 1000 - this.#now();
        if (errorFromCore(thrown).retryable && remaining > 0 && this.#claims === claims) {
          this.#renewLater(claims, Math.max(MIN_RETRY_MS, remaining / 4));
        }
      });
    });
  }
}
