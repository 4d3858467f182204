// The types of the page's API. Every type that @forge/bridge's `realtime` also has accepts and returns at least as much
// as the one of @forge/bridge.

import type { Payload } from '../arguments/payload.js';
import type { ChannelMap, ChannelName, PublishWith, WithMap } from '../channel-map.js';
import type { ConnectionState, CoreKind, VerifiedSender } from '../core/browser-core.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import type { SessionGrant, SessionRequest } from '../session/grant.js';
import type { Invoked } from '../session/invoked.js';
import type { DebugListener } from '../transport/debug-socket.js';
import type { Transport } from '../transport/socket.js';
import type {
  CallOptions,
  ChannelOptions,
  SubscriptionOptions,
  SubscriptionState,
} from './subscription-types.js';
import type { OpenPresence } from './presence-types.js';
import type { StreamOptions, TextStream } from './text-stream-types.js';

/**
 * The options of `publish()` and `publishGlobal()` on a page. `sealwire/resolver` exports another type of this name for the
 * app's functions, with the options `scope` and `context`.
 */
export interface PublishOptions extends ChannelOptions, CallOptions {
  /** A label that subscribers receive as `event.name`, at most 255 bytes. The relay can read it. */
  eventName?: string;
  /**
   * An id that the app chooses, 1 to 255 bytes. While the relay remembers the id (its replay window, two minutes by
   * default), it accepts the same message of the same account under this id only once, also from another page or after a
   * reload; another message under the same id is refused with `ID_REUSED`.
   */
  idempotencyId?: string;
  /**
   * True to sign the message with the key of this page, so that subscribers receive `event.sender` with the user's account. The
   * default is the client's option `signed`. A page that cannot sign, because it lacks WebCrypto or because the session does
   * not certify it, reports `SIGNING_UNAVAILABLE`.
   */
  signed?: boolean;
}

/**
 * The outcome of a publish on a page. `sealwire/resolver` exports another type of this name, whose `errors` are objects.
 */
export interface PublishResult {
  /** The id of the message; null if publishing failed. */
  eventId?: string | null;
  /** The time at which the relay accepted the message, in Unix milliseconds as a decimal string; null if it failed. */
  eventTimestamp?: string | null;
  /** The reasons for a failure, each as `CODE: sentence`. Absent on success. */
  errors?: string[];
  /**
   * Present if publishing failed without an answer of the relay: whether the relay may have accepted the message
   * nevertheless. Publishing it again with the same `idempotencyId` is safe in either case.
   */
  mayHaveArrived?: boolean;
}

/** The metadata of a received message. */
export interface RealtimeEvent {
  /** The id of the message, as the publisher's result names it. */
  eventId: string;
  /** The time at which the relay accepted the message, in Unix milliseconds. */
  timestamp: number;
  /**
   * The time at which the publisher sent the message, by the clock of the backend that granted its session, in Unix
   * milliseconds. It is sealed with the message: the relay can neither read nor change it.
   */
  publishedAt: number;
  /** The name of the channel. */
  channel: string;
  /** The publisher's `eventName`; empty if there was none. */
  name: string;
  /**
   * The sender that a signature proves: `{ kind: 'function' }` for a function of the app, and `{ kind: 'page', accountId }` for
   * a page that signs. Absent for any other message, which everybody with access to the channel could have written.
   */
  sender?: VerifiedSender;
}

/**
 * Receives each message of a subscription, once and in order.
 *
 * A callback that declares a second parameter (`Function.length` is 2 or more) also receives errors, with `undefined` as
 * the payload, unless the options `onError` or `onGap` take them: `GAP` (messages were missed; `error.gap` says which, and
 * messages continue), `MESSAGE_UNREADABLE` (one message could not be decrypted; the error says so if the key was rotated
 * after a fixed channel token was signed), `MESSAGE_STALE` (one message was refused because it is older than any message
 * that an honest relay delivers, or later than now), `SENDER_UNVERIFIED` (one message was refused because of the option
 * `senders`), or the reason for which the relay ended the subscription. A callback
 * with one parameter receives messages only.
 */
export type Callback<P> = (payload: P, error?: SealwireError, event?: RealtimeEvent) => any;

/** A subscription, as `subscribe()` returns it. */
export interface Subscription {
  /** The current state. */
  readonly state: SubscriptionState;
  /** Ends the subscription. Nothing is delivered after the call; the promise resolves once the relay has confirmed. */
  unsubscribe: () => Promise<void>;
  /**
   * Replaces the channel token before it expires, without interrupting the subscription. Rejects with a SealwireError if
   * the token has other claims or the subscription has ended.
   */
  refreshToken: (token: string) => Promise<void>;
}

/**
 * Subscribes to a channel and resolves once the relay has confirmed the subscription.
 *
 * @param channel - The name of the channel, 1 to 255 bytes.
 * @param callback - Receives each message, once and in order.
 * @param options - The scope or token of the channel, replay, listeners and the limits of the call.
 * @returns The confirmed subscription.
 * @throws SealwireError with the code `INVALID_ARGUMENT` or `NAME_INVALID` for a wrong argument, `SCOPE_REFUSED`,
 * `PERMISSION_MISSING` or a `TOKEN_…` code if the channel is refused, `UNREACHABLE` or `SESSION_UNAVAILABLE` if `timeoutMs`
 * passes first, and `CLOSED` after `close()`. An aborted call rejects with the signal's reason.
 */
export type Subscribe<M extends ChannelMap<M> = any> = WithMap<
  M,
  <C extends ChannelName<M>>(
    channel: C,
    callback: Callback<M[C]>,
    options?: SubscriptionOptions,
  ) => Promise<Subscription>,
  <P extends string | Payload = string | Record<string, unknown>>(
    channel: string,
    callback: Callback<P>,
    options?: SubscriptionOptions,
  ) => Promise<Subscription>
>;

/**
 * Publishes a message to a channel and resolves with the relay's answer. Messages of one client to one channel keep the
 * order of their calls.
 *
 * @param channel - The name of the channel, 1 to 255 bytes.
 * @param payload - A string or a JSON object, at most 128 KiB as JSON.
 * @param options - The scope or token of the channel, the event's name and the limits of the call.
 * @returns The id and time of the message, or `errors` if publishing failed.
 * @throws SealwireError with the code `INVALID_ARGUMENT`, `NAME_INVALID` or `MESSAGE_SIZE` for a wrong argument. Every
 * other failure is reported in the result.
 */
export type Publish<M extends ChannelMap<M> = any> = PublishWith<M, PublishOptions, PublishResult>;

/** Receives every change of the connection's state, and the error that caused the change, if any. */
export type StateListener = (state: ConnectionState, error?: SealwireError) => void;

/**
 * The realtime API of a page. `sealwire/resolver` exports another type of this name for the app's functions. With a channel
 * map, as `Realtime<Channels>`, it takes the channels of the map only, and their payloads have the types of the map.
 */
export interface Realtime<M extends ChannelMap<M> = any> {
  /**
   * Subscribes to a channel in a scope of the page's context.
   *
   * @example
   * ```ts
   * const subscription = await realtime.subscribe('absences', (change) => show(change), {
   *   contextOverrides: [Jira.Dashboard],
   *   replaySeconds: 30,
   *   onGap: () => reload(),
   * });
   * ```
   */
  subscribe: Subscribe<M>;
  /**
   * Publishes a message to a channel in a scope of the page's context.
   *
   * @example
   * ```ts
   * const { errors } = await realtime.publish('absences', { name: 'Anna' }, { contextOverrides: [Jira.Dashboard] });
   * ```
   */
  publish: Publish<M>;
  /**
   * Reads a text stream that the resolver's `createStream()` or `publishStream()` publishes. The subscription starts with
   * the call.
   *
   * @param channel - The name of the channel, 1 to 255 bytes. A channel map does not contain the channels of streams.
   * @param options - The id of the stream, the listeners, and the options of a subscription.
   * @returns The stream, which is iterated with `for await`.
   * @throws SealwireError with the code `INVALID_ARGUMENT` or `NAME_INVALID` for a wrong argument.
   */
  stream: (channel: string, options?: StreamOptions) => TextStream;
  /**
   * Opens the presence of a channel: the pages that have entered it, with data that the relay cannot read.
   *
   * @example
   * ```ts
   * const presence = await realtime.presence('dashboard', { contextOverrides: [Jira.Dashboard] });
   * presence.onChange((members) => showAvatars(members));
   * await presence.enter({ name: 'Anna' });
   * ```
   */
  presence: OpenPresence;
  /** Subscribes to the installation-wide channel of this name. */
  subscribeGlobal: Subscribe<M>;
  /** Publishes to the installation-wide channel of this name. */
  publishGlobal: Publish<M>;
  /** The build of the core that runs; undefined until the first call has loaded it. */
  readonly core: CoreKind | undefined;
  /** The transport of the current or latest connection; undefined until the first one has opened. */
  readonly transport: Transport | undefined;
  /** The current state of the connection. */
  readonly state: ConnectionState;
  /**
   * The number of messages since the core was loaded that were dropped because the relay had delivered them before. A relay
   * that restarted may repeat a message; a higher number shows a fault or an attack.
   */
  readonly repeatedMessages: number;
  /**
   * Adds a listener for changes of the connection's state.
   *
   * @param listener - Receives each new state, and an error if there is one.
   * @returns A function that removes the listener.
   */
  onStateChange: (listener: StateListener) => () => void;
  /**
   * Ends the connection, every subscription and every pending call. Nothing is delivered after it returns. A later call
   * connects again.
   */
  close: () => void;
}

/** The options of `createRealtime()` on a page. `sealwire/resolver` exports another type of this name. */
export interface RealtimeOptions {
  /**
   * Provides sessions. The default invokes the app's resolver function `sealwire:session`. The function sends the request to the
   * app's backend as it is, which passes it on as `payload` of `session()`.
   */
  session?: (request: SessionRequest) => Invoked<SessionGrant> | Promise<Invoked<SessionGrant>>;
  /**
   * True to sign every message of this client, unless a call says otherwise: see the option `signed` of `publish()`. The default
   * is false.
   */
  signed?: boolean;
  /** The build of the core to load. The default is WebAssembly if the page allows it, and plain JavaScript otherwise. */
  core?: CoreKind;
  /**
   * The maximum duration of a call that sets none, in milliseconds, at most 24 hours. By default, a publish waits two
   * minutes, and a subscribe waits until it is confirmed or refused for good.
   */
  timeoutMs?: number;
  /** The former name of `timeoutMs`, in milliseconds, without a default. `timeoutMs` takes precedence. */
  requestTimeoutMs?: number;
  /** The time that the connection stays open after the last subscription, in milliseconds. The default is 5,000. */
  idleCloseMs?: number;
  /**
   * True to share one WebSocket between the frames of one origin on a page, each with its own session and keys. The default
   * is true. It has no effect if the browser does not allow it.
   */
  share?: boolean;
  /** Receives every change of the connection's state. */
  onState?: StateListener;
  /** Receives the traffic of the connection by kind and size. It never contains a payload, name, token or key. */
  onDebug?: DebugListener;
}
