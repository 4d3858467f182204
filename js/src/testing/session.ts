// The page's session at the test relay: fetched from the app, renewed ahead of its end, fetched anew when it is over.

import type { Host } from '../core/browser-core.js';
import { errorFromCore } from '../errors/from-core.js';
import type { IsExpired } from './rules.js';
import { refused } from './refused.js';
import { readToken, type Minted, type SessionClaims } from './tokens.js';
import { later, type Timer } from './waiting.js';

/** How much of its life passes before it is renewed. */
const RENEWED = 0.75;

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
  #claims: Minted<SessionClaims> | undefined;
  #fetching = 0;
  #renewal: Timer | undefined;
  #end: Timer | undefined;

  /** `ended` is called when one is over that could not be renewed. */
  constructor(host: Host, { now, isExpired, isRevoked }: Rules, ended: () => void) {
    this.#host = host;
    this.#now = now;
    this.#isExpired = isExpired;
    this.#isRevoked = isRevoked;
    this.#ended = ended;
  }

  /** The claims of the one that there is. */
  get current(): Minted<SessionClaims> | undefined {
    return this.#claims && !this.#isExpired(this.#claims) && !this.isRevoked ? this.#claims : undefined;
  }

  get isRevoked(): boolean {
    return this.#claims !== undefined && this.#isRevoked(this.#claims);
  }

  /** The app has been asked and has not answered. */
  get isFetching(): boolean {
    return this.#fetching > 0;
  }

  async fetch(reason: 'connect' | 'refresh'): Promise<Minted<SessionClaims>> {
    this.#fetching += 1;
    const { token } = await this.#host.session(reason).finally(() => (this.#fetching -= 1));
    const claims = readToken<SessionClaims>(token, 'sealwire:session');
    if (this.#isExpired(claims)) throw refused('TOKEN_EXPIRED', 'the session token has expired');
    this.#claims = claims;
    this.#plan(claims);
    return claims;
  }

  stop(): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#end);
  }

  forget(): void {
    this.stop();
    this.#claims = undefined;
  }

  #plan(claims: Minted<SessionClaims>): void {
    this.stop();
    const remaining = claims.exp * 1000 - this.#now();
    this.#end = later(remaining, this.#ended);
    this.#renewLater(claims, remaining * RENEWED);
  }

  #renewLater(claims: Minted<SessionClaims>, wait: number): void {
    this.#renewal = later(wait, () => {
      this.fetch('refresh').catch((thrown: unknown) => {
        // As long as the old one lives, nothing is lost yet.
        const remaining = claims.exp * 1000 - this.#now();
        if (errorFromCore(thrown).retryable && remaining > 0 && this.#claims === claims) {
          this.#renewLater(claims, Math.max(1_000, remaining / 4));
        }
      });
    });
  }
}
