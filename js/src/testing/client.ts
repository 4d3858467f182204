// The client of the test relay, in place of the Rust core. It has the same interface and follows the rules that an app can
// observe.

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
import type { CoreError } from '../errors/core-error.js';
import { TestConnection } from './connection.js';
import { channelId, eventId, type Publication } from './hub.js';
import { eventTagOf } from './name-tags.js';
import { refused, unsent } from './refused.js';
import { addressOf } from './rules.js';
import { TestSubscription } from './subscription.js';
import { TestSubscriptions } from './subscriptions.js';
import type { Gate } from './timing.js';
import { readChannelToken, type LiveSession } from './tokens.js';
import type { RelayClient, World } from './world.js';

const MAX_SUBSCRIPTIONS = 256;
const MAX_PENDING_PUBLISHES = 128;
const PUBLISH_TIMEOUT_MS = 120_000;

/** Refuses to sign without an account, for which a session certifies no key. */
function needAccount({ sub }: LiveSession): void {
  if (sub === 'anonymous')
    throw refused('SIGNING_UNAVAILABLE', 'to sign, a page needs a user who is logged in');
}

export class TestClient implements Client, RelayClient {
  readonly network: Gate;
  readonly #world: World;
  readonly #subscriptions: TestSubscriptions;
  readonly #connection: TestConnection;
  #publishing = 0;
  #nextNumber = 1;

  /** `network` is the page's way to the relay. */
  constructor(world: World, network: Gate, host: Host, options: ClientOptions) {
    this.network = network;
    this.#world = world;
    this.#subscriptions = new TestSubscriptions(world, host, () => this.#connection.closeIfIdle());
    this.#connection = new TestConnection(world, network, host, options, this.#subscriptions);
    world.clients.add(this);
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  async subscribe(
    spec: ChannelSpec,
    options: SubscribeOptions,
    onMessage: (payload: string, meta: Meta) => void,
    onNotice: (notice: Notice) => void,
  ): Promise<number> {
    const number = this.#start(options);
    const token = spec.token === undefined ? undefined : readChannelToken(spec.token);
    const session = await this.#connection.connected(number, options.timeoutMs);
    const { hub, isExpired } = this.#world;
    const permission = options.member ? 'presence' : 'subscribe';
    const address = addressOf(session, spec, token, permission, isExpired);
    const seconds = options.replaySeconds ?? 0;
    if (seconds > hub.windowSeconds) {
      throw refused('REPLAY_TOO_LONG', `a replay goes back at most ${hub.windowSeconds} seconds here`);
    }
    const id = channelId(address);
    const { channels } = this.#subscriptions;
    if (channels.size >= MAX_SUBSCRIPTIONS && !channels.has(id)) {
      throw refused('TOO_MANY_SUBSCRIPTIONS', `a connection has at most ${MAX_SUBSCRIPTIONS} subscriptions`);
    }
    const { position } = hub.live(id);
    const made = new TestSubscription(
      spec,
      address,
      token,
      options,
      position,
      onMessage,
      onNotice,
      session.sub,
    );
    this.#subscriptions.add(number, made);
    this.#world.soon(() => {
      if (this.state === 'connected' && this.#subscriptions.has(number)) this.#subscriptions.begin(made);
    });
    return number;
  }

  async unsubscribe(id: number): Promise<void> {
    this.#connection.calls.fail(id, refused('CLOSED', 'unsubscribed before the relay confirmed'));
    this.#subscriptions.remove(id);
  }

  async enter(id: number, data: string | undefined, signed: boolean): Promise<void> {
    const { presences } = this.#subscriptions;
    if (data === undefined) {
      if (this.#subscriptions.has(id)) presences.leave(id, this.#subscriptions.presenceOf(id));
      return;
    }
    const presence = this.#subscriptions.presenceOf(id);
    const session = await this.#connection.connected(this.#nextNumber++, undefined);
    if (signed) needAccount(session);
    presences.enter(id, presence, data, signed, this.#world.now());
  }

  /** The test relay repeats no message. */
  readonly repeatedMessages = 0;

  async publish(
    spec: ChannelSpec,
    event: string,
    payload: string,
    options: PublishOptions,
  ): Promise<Published> {
    const number = this.#start(options);
    const publishedAt = this.#world.now();
    const token = spec.token === undefined ? undefined : readChannelToken(spec.token);
    if (this.#publishing >= MAX_PENDING_PUBLISHES) {
      throw refused('RATE_LIMITED', 'too many publications wait for the relay; await the earlier ones');
    }
    this.#publishing += 1;
    try {
      const timeoutMs = options.timeoutMs ?? PUBLISH_TIMEOUT_MS;
      const session = await this.#connection.connected(number, timeoutMs).catch((error: CoreError) => {
        throw unsent(error);
      });
      const address = addressOf(session, spec, token, 'publish', this.#world.isExpired);
      const { idempotencyId } = options;
      if (options.signed) needAccount(session);
      const signed = options.signed === true;
      const seen = session.isBlind ? eventTagOf(session.ins, event) : event;
      const message = { address, event: seen, payload, publishedAt, idempotencyId, signed };
      const draft = { ...message, from: 'page', accountId: session.sub } as const;
      const publication = this.#world.publish(draft);
      return { eventId: eventId(publication), timestamp: publication.timestamp };
    } finally {
      this.#publishing -= 1;
    }
  }

  withdraw(publish: number): void {
    const message = 'the call was ended before the relay answered';
    this.#connection.calls.fail(publish, refused('UNREACHABLE', message));
  }

  refreshToken(id: number, token: string): Promise<void> {
    return this.#subscriptions.refreshToken(id, token);
  }

  provideToken(renewal: number, token: string): void {
    this.refreshToken(renewal, token).catch((error: unknown) => this.failToken(renewal, error));
  }

  failToken(renewal: number, thrown: unknown): void {
    this.#subscriptions.failToken(renewal, thrown);
  }

  /** Does nothing, since nothing is sealed here. */
  provideOpened(): void {}
  provideVerified(): void {}
  provideSigned(): void {}

  pause(reason: PauseReason): void {
    if (reason !== 'hidden') this.#connection.pause();
  }

  wake(): void {
    this.#connection.wake();
  }

  close(): void {
    this.#world.clients.delete(this);
    this.#subscriptions.clear();
    this.#connection.close();
  }

  receive(publication: Publication): void {
    if (this.state === 'connected') this.#subscriptions.receive(publication);
  }

  lost(): void {
    this.#connection.lost();
  }

  expire(): void {
    this.#connection.expire();
  }

  settled(): Promise<void> {
    return this.#connection.settled();
  }

  #start({ started }: CallOptions): number {
    const number = this.#nextNumber++;
    started?.(number);
    return number;
  }
}
