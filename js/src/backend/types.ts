// The types of the resolver's API. Every type that @forge/realtime also has accepts and returns at least as much as the
// one of @forge/realtime.

import type { Payload } from '../arguments/payload.js';
import type { ChannelMap, ChannelName, PublishWith, WithMap } from '../channel-map.js';
import type { ForgeContext } from '../context/properties.js';
import type { ProductContext } from '../context/product-context.js';
import type { Permission, TaggedName } from '../core/resolver-core.js';
import type { ScopedGrant } from '../session/scoped-grant.js';

/** The option that names the invocation's context. */
export interface InvocationOption {
  /**
   * The invocation's context, for code outside a handler that `wrap()` has wrapped. The second argument of a consumer or
   * trigger is sufficient for global channels and for the option `scope`. The default is the context that `wrap()` carries.
   */
  context?: ForgeContext;
}

/** The options that limit how long a call takes. */
export interface TimeoutOption {
  /**
   * The maximum duration of the call, in milliseconds, at most 15 minutes. The default is that of `createRealtime()`, which
   * is 5,000. A call never takes longer than the Forge function has left.
   */
  timeoutMs?: number;
  /**
   * Cancels the call, which resolves with the error `ABORTED` in its `errors`. The error says whether the relay may have
   * accepted the request nevertheless. The signal has no effect on a call that has returned.
   */
  signal?: AbortSignal;
}

/**
 * The options of `publish()` and `publishGlobal()` in the app's functions. `sealwire` exports another type of this name for
 * pages, without `scope` and `context`.
 */
export interface PublishOptions extends InvocationOption, TimeoutOption {
  /** A channel token from `signRealtimeToken()`, which selects the channel of the token's claims. */
  token?: string;
  /**
   * The properties of the invocation's context that the channel's scope keeps. `[]` selects the installation-wide channel.
   * The default is the default scope of the invocation's module.
   */
  contextOverrides?: ProductContext[];
  /**
   * States the scope instead of taking it from the context: property names and values, such as `{ issue: '10001' }`. The
   * app vouches for them, so never pass values that a page sent. `realtime.scope()` returns verified values.
   */
  scope?: Record<string, string>;
  /** A label that subscribers receive as `event.name`, at most 255 bytes. The relay can read it. */
  eventName?: string;
  /**
   * An id that the app chooses, 1 to 255 bytes, such as the id of a job that the platform may run again. While the relay
   * remembers the id (its replay window, two minutes by default), it accepts the same message of the app's functions under
   * this id only once; another message under the same id is refused with `ID_REUSED`.
   */
  idempotencyId?: string;
}

/** A reason for which a call failed. */
export interface RealtimeFailure {
  /** A sentence for people, which says what to do. */
  message: string;
  /** The stable code for programs, such as `UNREACHABLE`. */
  code: string;
  /** The HTTP status of the relay's answer, if there was one. */
  status?: number;
  /** The time to wait before another attempt, in milliseconds, if the relay named one. */
  retryAfterMs?: number;
}

/**
 * The outcome of a publish in the app's functions. `eventTimestamp` is the time at which the relay accepted the message, in
 * Unix milliseconds as a decimal string. `sealwire` exports another type of this name for pages, whose `errors` are strings.
 */
export type PublishResult =
  | { eventId: string; eventTimestamp: string; errors?: undefined }
  | { eventId: null; eventTimestamp: null; errors: RealtimeFailure[] };

/** The outcome of `signRealtimeToken()`. `expiresAt` is in Unix seconds. */
export type TokenResult =
  | { token: string; expiresAt: number; errors?: undefined }
  | { token: null; expiresAt: null; errors: RealtimeFailure[] };

/** The permissions of a channel token: `subscribe`, `publish` or both. */
export type RealtimeTokenPermissions = [Permission, ...Permission[]];

/** The options of `signRealtimeToken()`. */
export interface TokenOptions extends InvocationOption, TimeoutOption {
  /** The lifetime of the token, in seconds, at most 24 hours. The default is 900 (15 minutes). */
  lifetimeSeconds?: number;
}

/** Selects the sessions to end: those of an account, those with certain properties, or all of the installation. */
export type DisconnectSelector =
  | 'installation'
  | { accountId: string; properties?: Record<string, string> }
  | { accountId?: string; properties: Record<string, string> };

/** The outcome of `disconnect()`. All selected sessions minted before `before`, in Unix seconds, have ended. */
export type DisconnectResult =
  { before: number; errors?: undefined } | { before: null; errors: RealtimeFailure[] };

/** The options of `realtime.scope()`. */
export interface ScopeOptions extends InvocationOption {
  /** The properties of the context to keep. The default is the default scope of the invocation's module. */
  contextOverrides?: ProductContext[];
}

/**
 * Seals a message and publishes it to a channel through the relay.
 *
 * @param channel - The name of the channel, 1 to 255 bytes.
 * @param payload - A string or a JSON object, at most 128 KiB as JSON.
 * @param options - The scope or token of the channel, the event's name, an idempotency id, a time limit and a signal.
 * @returns The id and time of the message, or `errors` if publishing failed.
 * @throws SealwireError with the code `INVALID_ARGUMENT`, `NAME_INVALID` or `MESSAGE_SIZE` for a wrong argument or a missing
 * setting, and `SCOPE_REFUSED` if nobody vouches for the scope. Every other failure is reported in the result.
 */
export type Publish<M extends ChannelMap<M> = any> = PublishWith<M, PublishOptions, PublishResult>;

/**
 * Signs a channel token: permission for one channel name, bound to claims of the app's own.
 *
 * @param channel - The name of the channel, 1 to 255 bytes.
 * @param claims - A JSON object, at most 4 KiB. Tokens with equal claims belong to the same channel.
 * @param permissions - The permissions of the token. The default is both.
 * @param options - The lifetime of the token, a time limit and a signal.
 * @returns The token to hand to the page, or `errors` if the installation's secret could not be read.
 * @throws SealwireError with the code `INVALID_ARGUMENT` or `NAME_INVALID` for a wrong argument or a missing setting.
 */
export type SignRealtimeToken<M extends ChannelMap<M> = any> = <T extends Payload>(
  channel: WithMap<M, ChannelName<M>, string>,
  claims: T,
  permissions?: RealtimeTokenPermissions,
  options?: TokenOptions,
) => Promise<TokenResult>;

/** The request that a resolver function receives. */
export interface ResolverRequest {
  /** The payload of the page's `invoke()`. */
  payload?: unknown;
  /** The context of the invocation. */
  context: ForgeContext;
}

/** The options of `createStream()` and `publishStream()`. */
export interface StreamPublishOptions extends Omit<PublishOptions, 'idempotencyId' | 'signal'> {
  /** The id of the stream, at most 100 characters. The default is a random one. */
  id?: string;
  /**
   * The maximum number of messages per second, above 0 and at most 50. The default is 10. Text written in between is
   * published together.
   */
  publishesPerSecond?: number;
}

/** The publishing side of a text stream, as `createStream()` returns it. */
export interface StreamPublisher {
  /** The id of the stream. A page passes it to `realtime.stream()`. */
  readonly id: string;
  /**
   * Appends text to the stream. Resolves once there is room for more, so awaiting it bounds memory to about 64 Ki UTF-16
   * units. Rejects with `OVERLOADED` if more than 1 Mi units wait, and with the failure if the stream could not be published.
   */
  write: (text: string) => Promise<void>;
  /** Publishes the rest of the text and the end of the stream. */
  end: () => Promise<void>;
  /** Publishes the rest of the text and the failure of the stream. Subscribers receive `message`. */
  fail: (message?: string) => Promise<void>;
}

/**
 * Starts a text stream on a channel, such as a language model's answer. A page reads it with `realtime.stream()`.
 *
 * @param channel - The name of the channel, 1 to 255 bytes.
 * @param options - The id and rate of the stream, and the options of `publish()`.
 * @returns The publisher of the stream.
 * @throws SealwireError with the code `INVALID_ARGUMENT` or `NAME_INVALID` for a wrong argument.
 */
export type CreateStream = (channel: string, options?: StreamPublishOptions) => StreamPublisher;

/**
 * Publishes the text of an iterable as a stream.
 *
 * @param channel - The name of the channel, 1 to 255 bytes.
 * @param source - The pieces of text, such as a language model's answer.
 * @param options - The id and rate of the stream, and the options of `publish()`.
 * @returns The id of the stream and the number of its messages, once everything is published.
 * @throws The error that `source` threw, or a SealwireError if publishing failed.
 */
export type PublishStream = (
  channel: string,
  source: AsyncIterable<string> | Iterable<string>,
  options?: StreamPublishOptions,
) => Promise<{ id: string; messages: number }>;

/**
 * Wraps the handler of a Forge function, so that calls made during an invocation know its context.
 *
 * @param handler - `resolver.getDefinitions()`, or the function of a consumer, trigger or web trigger.
 * @returns The function to export as the handler.
 * @throws SealwireError with the code `INVALID_ARGUMENT` if the handler is not a function.
 */
export type Wrap = <H extends (...args: any[]) => unknown>(handler: H) => H;

/**
 * The realtime API of the app's functions. `sealwire` exports another type of this name for pages. With a channel map, as
 * `Realtime<Channels>`, it takes the channels of the map only, and their payloads have the types of the map.
 */
export interface Realtime<M extends ChannelMap<M> = any> {
  /**
   * Publishes a message to a channel in a scope that the platform, the app or `authorize` vouches for.
   *
   * @example
   * ```ts
   * const { errors } = await realtime.publish('absences', { added: absence }, { contextOverrides: [Jira.Dashboard] });
   * ```
   */
  publish: Publish<M>;
  /** Publishes to the installation-wide channel of this name. */
  publishGlobal: Publish<M>;
  /**
   * Starts a text stream, such as a language model's answer. Pages read it with `realtime.stream()`. A channel map does not
   * contain the channels of streams.
   */
  createStream: CreateStream;
  /** Publishes the text of an iterable as a stream. */
  publishStream: PublishStream;
  /** Signs a channel token for a page. */
  signRealtimeToken: SignRealtimeToken<M>;
  /**
   * The resolver function that answers a page's request for a session. It rejects with a SealwireError if `authorize`
   * refuses the session.
   *
   * @example
   * ```ts
   * resolver.define('sealwire:session', realtime.session);
   * ```
   */
  session: (request: ResolverRequest) => Promise<ScopedGrant>;
  /**
   * Returns the scope that `publish()` would use with these options: verified values, to keep in a queue's job or to look up
   * data by.
   *
   * @throws SealwireError with the code `SCOPE_REFUSED` if nobody vouches for the properties.
   */
  scope: (options?: ScopeOptions) => Promise<Record<string, string>>;
  /**
   * Ends the selected sessions and refuses their tokens. The pages request a new session once, and `authorize` decides
   * whether they get one: take the permission away first.
   *
   * @param selector - The sessions to end.
   * @param options - The context of the invocation, a time limit and a signal.
   * @returns The time before which sessions have ended, or `errors` if the relay did not confirm.
   * @throws SealwireError with the code `INVALID_ARGUMENT` for a wrong argument or a missing setting.
   */
  disconnect: (
    selector: DisconnectSelector,
    options?: InvocationOption & TimeoutOption,
  ) => Promise<DisconnectResult>;
  /**
   * Returns the name behind a tag of `blindNames`, as the relay's log or an operator shows it. Let only admins of the app call
   * a function that returns it.
   *
   * @param tag - The tag, which begins with `~t1.`.
   * @param options - The context of the invocation, a time limit and a signal.
   * @returns The name, and whether it is that of a channel or an event, or the value of a property.
   * @throws SealwireError with the code `INVALID_ARGUMENT` for a text that is no tag, and for a tag of another installation,
   * environment or app, or of a secret that was lost.
   *
   * @example
   * ```ts
   * const { kind, name } = await realtime.nameOf('~t1.…');
   * ```
   */
  nameOf: (tag: string, options?: InvocationOption & TimeoutOption) => Promise<TaggedName>;
  /**
   * Wraps the handler of a Forge function, so that calls made during an invocation know its context.
   *
   * @example
   * ```ts
   * export const handler = realtime.wrap(resolver.getDefinitions());
   * ```
   */
  wrap: Wrap;
  /**
   * Adds an encryption key to the installation's secret. The key that it replaces stays in use for another 24 hours and 10
   * minutes, until every session and channel token has the new one.
   *
   * @returns `createdAt`, the time of the new key in Unix seconds, and `keys`, the number of keys in use.
   * @throws SealwireError with the code `RATE_LIMITED` if 16 keys are still in use, and `SESSION_UNAVAILABLE` if the secret
   * could not be read.
   */
  rotateKey: (options?: InvocationOption) => Promise<{ createdAt: number; keys: number }>;
}
