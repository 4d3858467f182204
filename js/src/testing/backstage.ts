// What the pieces of one test relay share.

import type { TestClient } from './client.js';
import { Hub, type Draft, type Publication } from './hub.js';
import type { IsExpired } from './rules.js';
import { tokensMinted, type Minted, type SessionClaims } from './tokens.js';
import { Gate, turns } from './waiting.js';

export class Backstage {
  readonly hub: Hub;
  readonly now: () => number;
  readonly clients = new Set<TestClient>();
  /** The line of each client to the relay; a client is on one from its first moment. */
  readonly #gates = new WeakMap<TestClient, Gate>();
  /** Whose tokens the app's resolver has revoked, each with the last token that there was then. */
  readonly #revoked: { upTo: number; means: (claims: SessionClaims) => boolean }[] = [];
  #expiredUpTo = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(windowSeconds: number, now: () => number) {
    this.hub = new Hub(windowSeconds, now);
    this.now = now;
  }

  readonly isExpired: IsExpired = ({ jti, exp }) => jti <= this.#expiredUpTo || this.now() >= exp * 1000;

  isRevoked(claims: Minted<SessionClaims>): boolean {
    return this.#revoked.some(({ upTo, means }) => claims.jti <= upTo && means(claims));
  }

  revoke(means: (claims: SessionClaims) => boolean): void {
    this.#revoked.push({ upTo: tokensMinted(), means });
    for (const client of [...this.clients]) client.expire();
  }

  expireAll(): void {
    this.#expiredUpTo = tokensMinted();
  }

  put(client: TestClient, gate: Gate): void {
    this.#gates.set(client, gate);
  }

  gate(client: TestClient): Gate {
    return this.#gates.get(client) ?? new Gate();
  }

  /** The publisher hears of it before its subscribers do. */
  publish(draft: Draft): Publication {
    const repeated = this.hub.repeated(draft);
    if (repeated) return repeated;
    const publication = this.hub.publish(draft);
    this.soon(() => {
      for (const client of [...this.clients]) client.receive(publication);
    });
    return publication;
  }

  /** In order, and after those who wait for what is done already have heard of it. */
  soon(work: () => unknown): void {
    this.#work = this.#work.then(() => turns()).then(work as () => void);
  }

  /** Resolves when nothing is on its way. */
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
