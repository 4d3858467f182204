// The subscriptions of one client of the test relay, and the renewal of their channel tokens.

import type { Host } from '../core/browser-core.js';
import type { CoreError } from '../errors/core-error.js';
import { errorFromCore } from '../errors/from-core.js';
import { channelId, type Publication } from './hub.js';
import { TestPresences } from './presence.js';
import { refused } from './refused.js';
import { checkChannelToken } from './rules.js';
import type { TestSubscription } from './subscription.js';
import { later } from './timing.js';
import { readChannelToken } from './tokens.js';
import type { World } from './world.js';

/** The part of a token's lifetime after which it is renewed. */
const RENEWAL_FRACTION = 0.75;
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export class TestSubscriptions {
  readonly #world: World;
  readonly #host: Host;
  readonly #removed: () => void;
  readonly presences: TestPresences;
  /** By the number of the call that subscribed. */
  readonly #subscriptions = new Map<number, TestSubscription>();

  /** `removed` is called after a subscription has ended. */
  constructor(world: World, host: Host, removed: () => void) {
    this.#world = world;
    this.#host = host;
    this.#removed = removed;
    this.presences = new TestPresences((channel) => world.presence(channel));
  }

  get any(): boolean {
    return this.#subscriptions.size > 0;
  }

  get channels(): ReadonlySet<string> {
    return new Set(this.#all().map(({ channel }) => channel));
  }

  has(id: number): boolean {
    return this.#subscriptions.has(id);
  }

  add(id: number, subscription: TestSubscription): void {
    this.#subscriptions.set(id, subscription);
    if (subscription.isPresence) this.presences.attach(subscription);
    this.#scheduleRenewal(id, subscription);
  }

  remove(id: number): void {
    this.#forget(id);
    this.#removed();
  }

  /** Removes all subscriptions without a notice. */
  clear(): void {
    for (const { timer } of this.#subscriptions.values()) clearTimeout(timer);
    this.presences.clear(this.#all().filter(({ isPresence }) => isPresence));
    this.#subscriptions.clear();
  }

  /** Delivers a publication to the subscriptions of its channel. */
  receive(publication: Publication): void {
    const id = channelId(publication.address);
    for (const subscription of this.#all()) {
      if (subscription.isPresence || !subscription.hasBegun) continue;
      if (subscription.channel === id) subscription.take(publication);
    }
  }

  /** Reports a lost connection. */
  suspend(): void {
    for (const subscription of this.#all()) {
      subscription.setState('resuming');
      if (subscription.isPresence) this.presences.detach(subscription);
    }
  }

  /** Continues after a connection was made. */
  resume(): void {
    const { hub } = this.#world;
    for (const subscription of this.#all()) {
      subscription.setState('subscribed');
      if (subscription.isPresence) this.presences.attach(subscription);
      else if (!subscription.hasBegun) this.begin(subscription, true);
      else subscription.resume(hub.sincePosition(subscription.channel, subscription.position));
    }
  }

  /** Delivers the replay of a new subscription. */
  begin(subscription: TestSubscription, isResumed = false): void {
    if (subscription.isPresence) return;
    const { hasBegun, channel, options } = subscription;
    if (hasBegun) return;
    subscription.begin(this.#world.hub.sinceTime(channel, options.replaySeconds ?? 0), isResumed);
  }

  async refreshToken(id: number, token: string): Promise<void> {
    const subscription = this.#subscriptions.get(id);
    if (!subscription) throw refused('NOT_SUBSCRIBED', 'the subscription is over');
    const claims = readChannelToken(token);
    if (subscription.token?.tag !== claims.tag) {
      throw refused('TOKEN_IDENTITY', 'the token has other claims than the subscription');
    }
    const { ins: installation, ch: name } = subscription.token;
    const permission = subscription.isPresence ? 'presence' : 'subscribe';
    checkChannelToken(claims, { installation, name }, permission, this.#world.isExpired);
    subscription.token = claims;
    this.#scheduleRenewal(id, subscription);
  }

  /** Handles a token function that failed. The subscription ends only once its current token has expired. */
  failToken(id: number, thrown: unknown): void {
    const subscription = this.#subscriptions.get(id);
    if (!subscription?.token) return;
    if (this.#world.isExpired(subscription.token)) return this.#end(id, errorFromCore(thrown));
    const remaining = subscription.token.exp * 1000 - this.#world.now();
    const delay = Math.min(Math.max(remaining / 4, MIN_RETRY_MS), MAX_RETRY_MS, remaining);
    subscription.timer = later(delay, () => this.#renew(id, subscription));
  }

  /** Handles the subscriptions whose token has expired. */
  expire(): void {
    for (const [id, subscription] of this.#subscriptions) {
      const { token } = subscription;
      if (token && this.#world.isExpired(token)) this.#expired(id, subscription);
    }
  }

  endAll(error: CoreError): void {
    for (const id of [...this.#subscriptions.keys()]) this.#end(id, error);
  }

  /** Returns a subscription to a presence. */
  presenceOf(id: number): TestSubscription {
    const subscription = this.#subscriptions.get(id);
    if (subscription) return subscription;
    throw refused('NOT_SUBSCRIBED', 'the presence is not open or has ended; open it again');
  }

  /** Removes a subscription, which leaves its presence. */
  #forget(id: number): TestSubscription | undefined {
    const subscription = this.#subscriptions.get(id);
    clearTimeout(subscription?.timer);
    if (subscription?.isPresence) this.presences.remove(id, subscription);
    this.#subscriptions.delete(id);
    return subscription;
  }

  #all(): TestSubscription[] {
    return [...this.#subscriptions.values()];
  }

  #scheduleRenewal(id: number, subscription: TestSubscription): void {
    clearTimeout(subscription.timer);
    if (!subscription.token) return;
    const remaining = subscription.token.exp * 1000 - this.#world.now();
    subscription.timer = subscription.options.renewToken
      ? later(remaining * RENEWAL_FRACTION, () => this.#renew(id, subscription))
      : later(remaining, () => this.#expired(id, subscription));
  }

  #renew(id: number, { options }: TestSubscription): void {
    if (options.renewToken && this.has(id)) this.#host.token(options.renewToken, id, true);
  }

  #expired(id: number, subscription: TestSubscription): void {
    if (subscription.options.renewToken) return this.#renew(id, subscription);
    const message = 'the channel token has expired; subscribe again with a fresh one';
    this.#end(id, refused('TOKEN_EXPIRED', message));
  }

  #end(id: number, error: CoreError): void {
    this.#forget(id)?.end(error);
    this.#removed();
  }
}
