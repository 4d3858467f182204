// The presences of the test relay: the members of each channel, and the subscriptions that watch them. Nothing is sealed.

import type { MemberRow } from '../core/browser-core.js';
import type { TestSubscription } from './subscription.js';
import { later, type Timer } from './timing.js';

/** The time for which a member stays after its connection broke. */
const GRACE_MS = 15_000;

/** The member that a page is, or may become, on one channel. */
export interface OwnMember {
  id: string;
  enteredAt: number | undefined;
  account: string | undefined;
  /** The data as JSON text; undefined if the page is no member. */
  data: string | undefined;
  /** True if the page signs its entry. */
  isSigned: boolean;
  /** The numbers of the subscriptions that entered. */
  holders: Set<number>;
}

interface Present {
  owner: OwnMember;
  data: string;
  enteredAt: number;
  graceTimer?: Timer | undefined;
}

interface Watcher {
  own: OwnMember;
  /** The rows that the subscription knows, as JSON, by the id of the member. */
  known: Map<string, string>;
  isConnected: boolean;
  hasState: boolean;
}

/** The presence of one channel. */
export class TestPresence {
  readonly #soon: (work: () => void) => void;
  readonly #members = new Map<string, Present>();
  readonly #watchers = new Map<TestSubscription, Watcher>();
  #isScheduled = false;

  /** `soon` runs work after everything that has happened before. */
  constructor(soon: (work: () => void) => void) {
    this.#soon = soon;
  }

  /** Adds a subscription, or continues one whose connection was lost. */
  watch(subscription: TestSubscription, own: OwnMember): void {
    const watcher = this.#watchers.get(subscription) ?? { own, known: new Map(), hasState: false };
    this.#watchers.set(subscription, { ...watcher, isConnected: true });
    this.#schedule();
  }

  unwatch(subscription: TestSubscription): void {
    this.#watchers.delete(subscription);
  }

  enter(own: OwnMember, data: string, now: number): void {
    own.data = data;
    own.enteredAt ??= now;
    clearTimeout(this.#members.get(own.id)?.graceTimer);
    this.#members.set(own.id, { owner: own, data, enteredAt: own.enteredAt });
    this.#schedule();
  }

  leave(own: OwnMember): void {
    own.data = own.enteredAt = undefined;
    own.isSigned = false;
    this.#remove(own.id);
  }

  /** Handles the loss of a connection: the member stays for the grace time. */
  detach(subscription: TestSubscription): void {
    const watcher = this.#watchers.get(subscription);
    if (!watcher) return;
    watcher.isConnected = false;
    this.abandon(watcher.own);
  }

  /** Handles the end of a page that did not leave. */
  abandon(own: OwnMember): void {
    const present = this.#members.get(own.id);
    if (present?.owner === own && !present.graceTimer) {
      present.graceTimer = later(GRACE_MS, () => this.#remove(own.id));
    }
  }

  #remove(id: string): void {
    clearTimeout(this.#members.get(id)?.graceTimer);
    if (this.#members.delete(id)) this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#soon(() => {
      this.#isScheduled = false;
      for (const [subscription, watcher] of [...this.#watchers]) this.#deliver(subscription, watcher);
    });
  }

  #deliver(subscription: TestSubscription, watcher: Watcher): void {
    const { own, known, isConnected } = watcher;
    if (!isConnected) return;
    const rows: MemberRow[] = [];
    for (const [id, { owner, data, enteredAt, graceTimer }] of this.#members) {
      const account = owner.account ?? '';
      const { isSigned } = owner;
      const inGrace = graceTimer !== undefined;
      const row: MemberRow = [id, data, account, enteredAt, inGrace, owner === own, isSigned];
      const text = JSON.stringify([data, account, enteredAt, isSigned]);
      // As at the real relay, a change of the grace time alone is not told.
      if (known.get(id) === text) continue;
      known.set(id, text);
      rows.push(row);
    }
    for (const id of [...known.keys()]) {
      if (this.#members.has(id)) continue;
      known.delete(id);
      rows.push([id]);
    }
    if (rows.length === 0 && watcher.hasState) return;
    watcher.hasState = true;
    subscription.takeMembers(rows);
  }
}

/** The presences that the subscriptions of one client take part in. */
export class TestPresences {
  readonly #own = new Map<string, OwnMember>();
  readonly #presence: (channel: string) => TestPresence;

  constructor(presence: (channel: string) => TestPresence) {
    this.#presence = presence;
  }

  /** Adds a subscription to the presence of its channel, or continues it. */
  attach(subscription: TestSubscription): void {
    const { channel, options, account } = subscription;
    const presence = this.#presence(channel);
    const { id, enteredAt } = options.member ?? {};
    const own = this.#own.get(channel) ?? {
      id: id ?? `member-${Math.random().toString(36).slice(2)}`,
      enteredAt,
      account,
      data: undefined,
      isSigned: false,
      holders: new Set<number>(),
    };
    this.#own.set(channel, own);
    presence.watch(subscription, own);
    if (own.data !== undefined) presence.enter(own, own.data, 0);
  }

  detach(subscription: TestSubscription): void {
    this.#presence(subscription.channel).detach(subscription);
  }

  enter(number: number, { channel }: TestSubscription, data: string, signed: boolean, now: number): void {
    const own = this.#own.get(channel);
    if (!own) return;
    own.holders.add(number);
    own.isSigned ||= signed;
    this.#presence(channel).enter(own, data, now);
  }

  leave(number: number, { channel }: TestSubscription): void {
    const own = this.#own.get(channel);
    if (own?.holders.delete(number) && own.holders.size === 0) this.#presence(channel).leave(own);
  }

  remove(number: number, subscription: TestSubscription): void {
    this.leave(number, subscription);
    this.#presence(subscription.channel).unwatch(subscription);
  }

  /** Handles the end of the client, whose members stay for the grace time. */
  clear(subscriptions: Iterable<TestSubscription>): void {
    for (const subscription of subscriptions) {
      this.detach(subscription);
      this.#presence(subscription.channel).unwatch(subscription);
    }
    this.#own.clear();
  }
}
