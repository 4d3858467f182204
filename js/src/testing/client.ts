// The client of the test relay, in place of the Rust core: the same face, and what an app can observe of its rules.

import type {
  CallOptions,
  ChannelSpec,
  Client,
  ClientOptions,
  ConnectionState,
  Host,
  Meta,
  Notice,
  PauseReason,
  Published,
  PublishOptions,
  SubscribeOptions,
} from '../core/browser-core.js';
import type { CoreError } from '../core/core-error.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import { errorFromCore } from '../errors/from-core.js';
import type { Backstage } from './backstage.js';
import { Calls } from './calls.js';
import { channelId, eventId, type Publication } from './hub.js';
import { refused, unsent } from './refused.js';
import { addressOf, checkChannelToken } from './rules.js';
import { TestSession } from './session.js';
import { TestSubscription } from './subscription.js';
import { readChannelToken, type ChannelClaims, type Minted } from './tokens.js';
import { Gate, later, turns, type Timer } from './waiting.js';

const MAX_SUBSCRIPTIONS = 256;
const MAX_PENDING_PUBLISHES = 128;
const PUBLISH_TIMEOUT_MS = 120_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
const RENEWED = 0.75;
const CLOSED = refused('CLOSED', 'the client was closed');

export class TestClient implements Client {
  state: ConnectionState = 'idle';
  readonly #backstage: Backstage;
  readonly #host: Host;
  readonly #idleMs: number;
  readonly #session: TestSession;
  readonly #subscriptions = new Map<number, TestSubscription>();
  readonly #awake = new Gate();
  readonly #calls = new Calls();
  #connecting: Promise<void> | undefined;
  #wasConnected = false;
  #publishing = 0;
  #trouble: SealwireError | undefined;
  #idle: Timer | undefined;
  #nextId = 1;

  constructor(backstage: Backstage, host: Host, options: ClientOptions) {
    this.#backstage = backstage;
    this.#host = host;
    this.#idleMs = options.idleCloseMs ?? 5_000;
    const { now, isExpired } = backstage;
    const rules = { now, isExpired, isRevoked: backstage.isRevoked.bind(backstage) };
    this.#session = new TestSession(host, rules, () => this.expire());
    backstage.clients.add(this);
  }

  async subscribe(
    spec: ChannelSpec,
    options: SubscribeOptions,
    onMessage: (payload: string, meta: Meta) => void,
    onNotice: (notice: Notice) => void,
  ): Promise<number> {
    const number = this.#started(options);
    const token = spec.token === undefined ? undefined : readChannelToken(spec.token);
    const session = await this.#connected(number, options.timeoutMs);
    const { hub, isExpired } = this.#backstage;
    const address = addressOf(session, spec, token, 'subscribe', isExpired);
    const seconds = options.replaySeconds ?? 0;
    if (seconds > hub.windowSeconds) {
      throw refused('REPLAY_TOO_LONG', `a replay goes back at most ${hub.windowSeconds} seconds here`);
    }
    const id = channelId(address);
    const channels = new Set([...this.#subscriptions.values()].map(({ channel }) => channel));
    if (channels.size >= MAX_SUBSCRIPTIONS && !channels.has(id)) {
      throw refused('TOO_MANY_SUBSCRIPTIONS', `a connection has at most ${MAX_SUBSCRIPTIONS} subscriptions`);
    }
    const { position } = hub.live(id);
    const made = new TestSubscription(spec, address, token, options, position, onMessage, onNotice);
    this.#subscriptions.set(number, made);
    this.#plan(number, made);
    this.#backstage.soon(
      () => this.state === 'connected' && this.#subscriptions.has(number) && this.#begin(made),
    );
    return number;
  }

  async unsubscribe(id: number): Promise<void> {
    this.#calls.fail(id, refused('CLOSED', 'unsubscribed before the relay confirmed'));
    clearTimeout(this.#subscriptions.get(id)?.timer);
    this.#subscriptions.delete(id);
    this.#rest();
  }

  async publish(
    spec: ChannelSpec,
    event: string,
    payload: string,
    options: PublishOptions,
  ): Promise<Published> {
    const number = this.#started(options);
    const publishedAt = options.idempotencyId === undefined ? this.#backstage.now() : 0;
    const token = spec.token === undefined ? undefined : readChannelToken(spec.token);
    if (this.#publishing >= MAX_PENDING_PUBLISHES) {
      throw refused('RATE_LIMITED', 'too many publications wait for the relay; await the earlier ones');
    }
    this.#publishing += 1;
    try {
      const timeoutMs = options.timeoutMs ?? PUBLISH_TIMEOUT_MS;
      const session = await this.#connected(number, timeoutMs).catch((error: CoreError) => {
        throw unsent(error);
      });
      const address = addressOf(session, spec, token, 'publish', this.#backstage.isExpired);
      const { idempotencyId } = options;
      const message = { address, event, payload, publishedAt, idempotencyId };
      const draft = { ...message, from: 'page', accountId: session.sub } as const;
      const publication = this.#backstage.publish(draft);
      return { eventId: eventId(publication), timestamp: publication.timestamp };
    } finally {
      this.#publishing -= 1;
    }
  }

  withdraw(publish: number): void {
    this.#calls.fail(publish, refused('UNREACHABLE', 'the call was ended before the relay answered'));
  }

  #started({ started }: CallOptions): number {
    const number = this.#nextId++;
    started?.(number);
    return number;
  }

  async refreshToken(id: number, token: string): Promise<void> {
    const subscription = this.#subscriptions.get(id);
    if (!subscription) throw refused('NOT_SUBSCRIBED', 'the subscription is over');
    const claims = readChannelToken(token);
    if (subscription.token?.tag !== claims.tag) {
      throw refused('TOKEN_IDENTITY', 'the token has other claims than the subscription');
    }
    const { ins: installation, ch: name } = subscription.token;
    checkChannelToken(claims, { installation, name }, 'subscribe', this.#backstage.isExpired);
    this.#adopt(id, subscription, claims);
  }

  provideToken(renewal: number, token: string): void {
    this.refreshToken(renewal, token).catch((error: unknown) => this.failToken(renewal, error));
  }

  /** Nothing is sealed here. */
  provideOpened(): void {}

  failToken(renewal: number, thrown: unknown): void {
    const subscription = this.#subscriptions.get(renewal);
    if (!subscription?.token) return;
    const remaining = subscription.token.exp * 1000 - this.#backstage.now();
    if (this.#backstage.isExpired(subscription.token)) return this.#endOne(renewal, errorFromCore(thrown));
    // As long as the old one lives, nothing is lost yet.
    const wait = Math.min(Math.max(remaining / 4, 1_000), 30_000, remaining);
    subscription.timer = later(wait, () => this.#renew(renewal, subscription));
  }

  pause(reason: PauseReason): void {
    if (reason === 'hidden' || !this.#isWanted()) return;
    this.#awake.shut();
    this.lost('suspended');
  }

  wake(): void {
    this.#awake.open();
  }

  close(): void {
    this.#backstage.clients.delete(this);
    this.#session.forget();
    clearTimeout(this.#idle);
    for (const { timer } of this.#subscriptions.values()) clearTimeout(timer);
    this.#subscriptions.clear();
    this.#calls.failAll(CLOSED);
    this.#show('closed');
  }

  /** A publication of any channel. */
  receive(publication: Publication): void {
    if (this.state !== 'connected') return;
    const id = channelId(publication.address);
    for (const subscription of [...this.#subscriptions.values()]) {
      if (subscription.channel === id && subscription.begun) subscription.take(publication);
    }
  }

  /** The connection is gone. */
  lost(state: ConnectionState = 'reconnecting', error?: CoreError): void {
    if (this.state !== 'connected') return;
    if (!this.#isWanted()) return this.#show('idle', error);
    this.#show(state, error);
    for (const subscription of [...this.#subscriptions.values()]) subscription.show('resuming');
    this.#connect().catch(() => {});
  }

  /** The tokens that there were are over. */
  expire(): void {
    for (const [id, subscription] of this.#subscriptions) {
      if (subscription.token && this.#backstage.isExpired(subscription.token))
        this.#expired(id, subscription);
    }
    if (this.#session.current) return;
    const why = this.#session.isRevoked
      ? refused('REVOKED', 'the app has ended the session; a new one may be permitted')
      : refused('TOKEN_EXPIRED', 'the session has expired');
    this.#session.forget();
    this.lost('reconnecting', why);
  }

  /** Resolves when it is not on its way to a connection. */
  async settled(): Promise<void> {
    if (this.#backstage.gate(this).isOpen && this.#awake.isOpen) await this.#connecting?.catch(() => {});
  }

  /** The session, once there is a connection; what a call waits for. */
  async #connected(
    number: number,
    timeoutMs: number | undefined,
  ): Promise<NonNullable<TestSession['current']>> {
    clearTimeout(this.#idle);
    try {
      return await this.#calls.run(
        number,
        timeoutMs,
        () => this.#whyLate(),
        async (failed) => {
          for (;;) {
            if (this.state === 'closed') throw CLOSED;
            const session = this.#session.current;
            if (this.state === 'connected' && session) return session;
            await Promise.race([this.#connect(), failed]);
          }
        },
      );
    } finally {
      this.#rest();
    }
  }

  /** Names the side that was slow. */
  #whyLate(): CoreError {
    const slow = "the app's session function has not answered in time; the relay was not asked";
    if (this.state !== 'connected' && this.#session.isFetching) return refused('SESSION_UNAVAILABLE', slow);
    return this.#trouble ?? refused('UNREACHABLE', 'the relay did not answer in time');
  }

  #connect(): Promise<void> {
    return (this.#connecting ??= this.#attempts().finally(() => (this.#connecting = undefined)));
  }

  async #attempts(): Promise<void> {
    if (this.state === 'idle') this.#show('connecting');
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
      try {
        await this.#awake.passed();
        await this.#backstage.gate(this).passed();
        if (!this.#session.current) await this.#session.fetch('connect');
        await turns(1);
        if (this.state === 'closed') throw CLOSED;
        if (this.#backstage.gate(this).isOpen && this.#awake.isOpen) return this.#resume();
      } catch (thrown) {
        const error = errorFromCore(thrown);
        if (this.state === 'closed') throw error;
        if (!error.retryable) {
          this.#giveUp(error);
          throw error;
        }
        this.#trouble = error;
        this.#show(this.#wasConnected ? 'reconnecting' : 'connecting', error);
        await new Promise<void>((resolve) => later(error.retryAfterMs ?? wait, resolve));
        if (!this.#isWanted()) return this.#show('idle', error);
      }
    }
  }

  #resume(): void {
    this.#trouble = undefined;
    this.#wasConnected = true;
    this.#show('connected');
    for (const subscription of [...this.#subscriptions.values()]) {
      subscription.show('subscribed');
      if (!subscription.begun) this.#begin(subscription);
      else
        subscription.resume(this.#backstage.hub.sincePosition(subscription.channel, subscription.position));
    }
  }

  #begin(subscription: TestSubscription): void {
    const { begun, channel, options } = subscription;
    if (!begun) subscription.begin(this.#backstage.hub.sinceTime(channel, options.replaySeconds ?? 0));
  }

  /** Ends everything that needs the connection, and waits for the app's next call. */
  #giveUp(error: SealwireError): void {
    for (const id of [...this.#subscriptions.keys()]) this.#endOne(id, error);
    this.#session.forget();
    this.#wasConnected = false;
    this.#show('idle', error);
  }

  #isWanted(): boolean {
    return this.#subscriptions.size > 0 || this.#calls.any;
  }

  #rest(): void {
    clearTimeout(this.#idle);
    if (this.#isWanted() || this.state !== 'connected') return;
    this.#idle = later(this.#idleMs, () => {
      if (this.#isWanted()) return;
      this.#session.stop();
      this.#wasConnected = false;
      this.#show('idle');
    });
  }

  #adopt(id: number, subscription: TestSubscription, claims: Minted<ChannelClaims>): void {
    subscription.token = claims;
    this.#plan(id, subscription);
  }

  #plan(id: number, subscription: TestSubscription): void {
    clearTimeout(subscription.timer);
    if (!subscription.token) return;
    const remaining = subscription.token.exp * 1000 - this.#backstage.now();
    subscription.timer = subscription.options.renewToken
      ? later(remaining * RENEWED, () => this.#renew(id, subscription))
      : later(remaining, () => this.#expired(id, subscription));
  }

  #renew(id: number, { options }: TestSubscription): void {
    if (options.renewToken && this.#subscriptions.has(id)) this.#host.token(options.renewToken, id, true);
  }

  #expired(id: number, subscription: TestSubscription): void {
    if (subscription.options.renewToken) return this.#renew(id, subscription);
    const message = 'the channel token has expired; subscribe again with a fresh one';
    this.#endOne(id, refused('TOKEN_EXPIRED', message));
  }

  #endOne(id: number, error: CoreError): void {
    const subscription = this.#subscriptions.get(id);
    this.#subscriptions.delete(id);
    subscription?.end(error);
    this.#rest();
  }

  #show(state: ConnectionState, error?: CoreError): void {
    if (state === this.state && !error) return;
    this.state = state;
    this.#host.state(state, error);
  }
}
