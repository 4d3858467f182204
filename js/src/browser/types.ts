// The types of the page's API. Where @forge/bridge's realtime has a type, this one takes at least as much and returns
// at least as much.

import type { Payload } from '../arguments/payload.js';
import type { ConnectionState, CoreKind, SessionReason } from '../core/browser-core.js';
import type { ProductContext } from '../context/product-context.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import type { TokenProvider } from '../session/channel-token.js';
import type { SessionGrant } from '../session/grant.js';
import type { StreamOptions, TextStream } from '../stream/types.js';
import type { DebugListener } from '../transport/debugged.js';
import type { Transport } from '../transport/socket.js';

export interface ChannelOptions {
  /**
   * From the resolver's signRealtimeToken(): joins the channel of the token's claims. A function that fetches one is
   * called again, for as long as the subscription lives, before a token ends.
   */
  token?: string | TokenProvider;
  /** Keeps only these properties of the context; `[]` is the installation-wide channel. */
  contextOverrides?: ProductContext[];
}

/** The options that end the wait of a call. */
export interface CallOptions {
  /**
   * The whole wait of the call, in milliseconds, at most 24 hours. By default the client's `timeoutMs`; where that is
   * not given either, a publish waits two minutes and a subscribe until it is confirmed or refused for good.
   */
  timeoutMs?: number;
  /**
   * Ends the wait: a subscribe is withdrawn and rejects with the signal's reason, a publish is not sent any more and
   * resolves with the error `ABORTED`. Has no effect on a subscription that is confirmed.
   */
  signal?: AbortSignal;
}

/**
 * The state of a subscription: `subscribing` (not confirmed yet: it stays until it is confirmed, refused for good or
 * withdrawn), `subscribed`, `resuming` (the connection was lost, or the relay refused the channel for the moment; nothing
 * has to be done) or `ended` (by `unsubscribe()`, by `close()`, or by a refusal for good).
 */
export type SubscriptionState = 'subscribing' | 'subscribed' | 'resuming' | 'ended';

export interface SubscriptionOptions extends ChannelOptions, CallOptions {
  /** Delivers the last seconds before the subscription too, at most 120. */
  replaySeconds?: number;
  /** Gets the subscription's errors in place of the callback, which then gets messages only. */
  onError?: ErrorListener;
  /** Gets `GAP` in place of onError and the callback: load the state again. Messages go on. */
  onGap?: ErrorListener;
  /** Called with every change of the subscription's state, and with the reason where it ended by itself or by `close()`. */
  onState?: (state: SubscriptionState, error?: SealwireError) => void;
}

export interface PublishOptions extends ChannelOptions, CallOptions {
  /** A label that subscribers get as `event.name`. The relay sees it. */
  eventName?: string;
  /**
   * An id of the app's own, 1 to 255 bytes. The same message of the same account under the same id is taken once, also from
   * another page or after a reload, as long as the relay remembers it (its replay window, two minutes by default). Another
   * message under an id that was used is refused with `ID_REUSED`. Subscribers get the relay's time as `publishedAt`.
   */
  idempotencyId?: string;
}

export interface PublishResult {
  eventId?: string | null;
  /** When the relay took the message: Unix milliseconds, as a decimal string. */
  eventTimestamp?: string | null;
  /** Why publishing failed, each as `CODE: sentence`. Absent when it did not. */
  errors?: string[];
  /**
   * Present where publishing failed without the relay's answer: whether the relay may have taken the message all the same.
   * Publishing it again with the same `idempotencyId` is safe in either case.
   */
  mayHaveArrived?: boolean;
}

/** About a received message. */
export interface RealtimeEvent {
  eventId: string;
  /** When the relay took the message, in Unix milliseconds. */
  timestamp: number;
  /** When the publisher sent it by its own clock, in Unix milliseconds. Sealed: the relay can neither see nor change it. */
  publishedAt: number;
  channel: string;
  /** The publisher's `eventName`; empty where there was none. */
  name: string;
}

/**
 * Called with each message, once and in order. A callback that declares a second parameter (`Function.length` is 2 or more)
 * is also called with `undefined` and an error, unless the options onError or onGap take it: `GAP` (messages were missed;
 * `error.gap` says which, and messages go on), `MESSAGE_UNREADABLE` (one message could not be opened; where the key was
 * rotated after a fixed channel token was signed, the error says so), or the reason for which the relay ended the
 * subscription. A callback of one parameter gets messages only.
 */
export type Callback<P> = (payload: P, error?: SealwireError, event?: RealtimeEvent) => any;

export type ErrorListener = (error: SealwireError) => any;

export interface Subscription {
  /** The state at the moment. */
  readonly state: SubscriptionState;
  /** Resolves when nothing more will be delivered. */
  unsubscribe: () => Promise<void>;
  /** Replaces this subscription's channel token before it expires, without interrupting the subscription. */
  refreshToken: (token: string) => Promise<void>;
}

export type Subscribe = <P extends string | object = string | Record<string, unknown>>(
  channel: string,
  callback: Callback<P>,
  options?: SubscriptionOptions,
) => Promise<Subscription>;

export type Publish = <T extends Payload>(
  channel: string,
  payload: string | T,
  options?: PublishOptions,
) => Promise<PublishResult>;

export type StateListener = (state: ConnectionState, error?: SealwireError) => void;

export interface Realtime {
  subscribe: Subscribe;
  publish: Publish;
  /** Reads a stream of text that the resolver's createStream() or publishStream() publishes. Subscribes at once. */
  stream: (channel: string, options?: StreamOptions) => TextStream;
  /** Subscribes to the installation-wide channel of that name. */
  subscribeGlobal: Subscribe;
  /** Publishes to the installation-wide channel of that name. */
  publishGlobal: Publish;
  /** Which build of the core runs; undefined until the first call has loaded it. */
  readonly core: CoreKind | undefined;
  /** What the connection, or the last one, goes over; undefined until the first has opened. */
  readonly transport: Transport | undefined;
  readonly state: ConnectionState;
  /** Told of every change of the state, with the reason where something went wrong. Returns what ends it. */
  onStateChange: (listener: StateListener) => () => void;
  /**
   * Ends every subscription, every call that waits and the connection: nothing of them is delivered once it has returned.
   * A later call starts anew.
   */
  close: () => void;
}

export interface RealtimeOptions {
  /** Provides sessions. By default the app's resolver function `sealwire:session`. */
  session?: (reason: SessionReason) => SessionGrant | Promise<SessionGrant>;
  /** Insists on a build of the core. By default WebAssembly where the page allows it. */
  core?: CoreKind;
  /**
   * The whole wait of a call, in milliseconds, unless the call sets its own. By default a publish waits two minutes,
   * and a subscribe until it is confirmed or refused for good.
   */
  timeoutMs?: number;
  /** The former name of `timeoutMs`, which takes precedence. */
  requestTimeoutMs?: number;
  /** How long the connection outlives the last subscription, in milliseconds. */
  idleCloseMs?: number;
  /**
   * Whether the frames of this origin on a page share one WebSocket, each with its own session and keys. They do by
   * default, where the browser allows it.
   */
  share?: boolean;
  /** Told of every change of the connection's state. */
  onState?: StateListener;
  /** Shown what goes over the connection, by kind and size: never a payload, name, token or key. */
  onDebug?: DebugListener;
}
