// The state that the parts of one test relay share: the hub, the clients and the revoked tokens.

import { Hub, type Draft, type Publication } from './hub.js';
import { TestPresence } from './presence.js';
import type { IsExpired } from './rules.js';
import { turns, type Gate } from './timing.js';
import { tokensMinted, type Minted, type SessionClaims } from './tokens.js';

/** A client of the test relay, as the relay sees it. */
export interface RelayClient {
  /** The network between the client's page and the relay. */
  readonly network: Gate;
  /** Receives a publication of any channel. */
  receive(publication: Publication): void;
  /** Handles the loss of the connection. */
  lost(): void;
  /** Handles expired and revoked tokens. */
  expire(): void;
  /** Resolves once the client is not connecting. */
  settled(): Promise<void>;
}

/** A call that revoked tokens: those that match `matches` and were minted before it. */
interface Revocation {
  lastToken: number;
  matches: (claims: SessionClaims) => boolean;
}

export class World {
  readonly hub: Hub;
  readonly now: () => number;
  readonly clients = new Set<RelayClient>();
  readonly #presences = new Map<string, TestPresence>();
  readonly #revocations: Revocation[] = [];
  /** The number of the last token that expireAll() has ended. */
  #lastExpired = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(windowSeconds: number, now: () => number) {
    this.hub = new Hub(windowSeconds, now);
    this.now = now;
  }

  readonly isExpired: IsExpired = ({ jti, exp }) => jti <= this.#lastExpired || this.now() >= exp * 1000;

  readonly isRevoked = (claims: Minted<SessionClaims>): boolean =>
    this.#revocations.some(({ lastToken, matches }) => claims.jti <= lastToken && matches(claims));

  revoke(matches: (claims: SessionClaims) => boolean): void {
    this.#revocations.push({ lastToken: tokensMinted(), matches });
    for (const client of [...this.clients]) client.expire();
  }

  /** Ends every token that exists. */
  expireAll(): void {
    this.#lastExpired = tokensMinted();
    for (const client of this.clients) client.expire();
  }

  /** Returns the presence of a channel. */
  presence(channel: string): TestPresence {
    const presence = this.#presences.get(channel) ?? new TestPresence((work) => this.soon(work));
    this.#presences.set(channel, presence);
    return presence;
  }

  /** Restarts the relay. */
  restart(): void {
    this.hub.restart();
    for (const client of this.clients) client.lost();
  }

  /** Ends the connections over these networks. */
  disconnect(networks: readonly Gate[]): void {
    for (const client of this.clients) if (networks.includes(client.network)) client.lost();
  }

  /** Publishes a message. The publisher receives the result before the subscribers receive the message. */
  publish(draft: Draft): Publication {
    const repeated = this.hub.repeated(draft);
    if (repeated) return repeated;
    const publication = this.hub.publish(draft);
    this.soon(() => {
      for (const client of [...this.clients]) client.receive(publication);
    });
    return publication;
  }

  /** Runs work in order, after the continuations of everything that has happened before. */
  soon(work: () => unknown): void {
    this.#work = this.#work.then(() => turns()).then(work as () => void);
  }

  /** Resolves once all work is done. */
  async settled(): Promise<void> {
    for (;;) {
      const work = this.#work;
      await turns();
      await Promise.all([work, ...[...this.clients].map((client) => client.settled())]);
      await turns();
      if (work === this.#work) return;
    }
  }
}
