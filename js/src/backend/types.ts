// The types of the resolver's API. Where @forge/realtime has a type, this one takes at least as much and returns at
// least as much.

import type { Payload } from '../arguments/payload.js';
import type { ForgeContext } from '../context/properties.js';
import type { ProductContext } from '../context/product-context.js';
import type { InstallationSecret, Permission } from '../core/resolver-core.js';
import type { ScopedGrant } from '../session/scoped-grant.js';
import type { CreateStream, PublishStream } from '../stream/types.js';
import type { UnlicensedUser } from './accounts.js';

export interface InvocationOption {
  /**
   * The invocation's context, where wrap() cannot know it. A consumer's or trigger's second argument will do for
   * global channels and for the option scope.
   */
  context?: ForgeContext;
}

export interface TimeoutOption {
  /**
   * The longest time of the call, in milliseconds. By default that of createRealtime(), which is 5,000. It is never more
   * than the Forge function has left.
   */
  timeoutMs?: number;
}

export interface PublishOptions extends InvocationOption, TimeoutOption {
  /** From signRealtimeToken(): publishes to the channel of the token's claims. */
  token?: string;
  /** Keeps only these properties of the invocation's context; `[]` is the installation-wide channel. */
  contextOverrides?: ProductContext[];
  /**
   * States the scope instead of taking it from the context: property names and values, such as `{ issue: '10001' }`.
   * The app vouches for it. Values that the page sent are none to vouch for; realtime.scope() returns verified ones.
   */
  scope?: Record<string, string>;
  /** A label that subscribers get as `event.name`. The relay sees it. */
  eventName?: string;
  /**
   * An id of the app's own, 1 to 255 bytes, such as that of the job that a platform may run again. The same message of the
   * app's functions under it is taken once, as long as the relay remembers it (its replay window, two minutes by default);
   * another message is refused with `ID_REUSED`. Subscribers get the relay's time as `publishedAt`.
   */
  idempotencyId?: string;
}

/** One reason for which a call failed. */
export interface RealtimeFailure {
  message: string;
  code: string;
  /** The relay's HTTP status, where it answered. */
  status?: number;
  retryAfterMs?: number;
}

/** `eventTimestamp`: when the relay took the message, Unix milliseconds as a decimal string. */
export type PublishResult =
  | { eventId: string; eventTimestamp: string; errors?: undefined }
  | { eventId: null; eventTimestamp: null; errors: RealtimeFailure[] };

/** `expiresAt` in Unix seconds. */
export type TokenResult =
  | { token: string; expiresAt: number; errors?: undefined }
  | { token: null; expiresAt: null; errors: RealtimeFailure[] };

export type RealtimeTokenPermissions = [Permission, ...Permission[]];

export interface TokenOptions extends InvocationOption, TimeoutOption {
  /** By default 15 minutes; at most 24 hours. */
  lifetimeSeconds?: number;
}

/** Whose sessions end: those to which everything in it applies. */
export type DisconnectSelector =
  | 'installation'
  | { accountId: string; properties?: Record<string, string> }
  | { accountId?: string; properties: Record<string, string> };

/** `before` in Unix seconds: sessions that were minted earlier have ended. */
export type DisconnectResult =
  { before: number; errors?: undefined } | { before: null; errors: RealtimeFailure[] };

/** Selects a scope. */
export interface ScopeOptions extends InvocationOption {
  contextOverrides?: ProductContext[];
}

export type Publish = <T extends Payload>(
  channel: string,
  payload: string | T,
  options?: PublishOptions,
) => Promise<PublishResult>;

export type SignRealtimeToken = (
  channel: string,
  claims: object,
  permissions?: RealtimeTokenPermissions,
  options?: TokenOptions,
) => Promise<TokenResult>;

/**
 * The permissions of a user, and the places that they hold for. `true` is both permissions on the properties that the
 * platform vouches for. `properties` names the properties of the context to which the app has verified the user's access:
 * the session then has these and no others.
 */
export type Authorization =
  boolean | { properties?: readonly string[]; subscribe?: boolean; publish?: boolean };

/**
 * Decides about the user of an invocation. Of the context, Forge guarantees `accountId` and `installContext`. The rest
 * comes with the call: ask the product before you rely on it, as verifyDashboard() and its like do.
 */
export type Authorize = (context: ForgeContext) => Authorization | Promise<Authorization>;

/** States properties that the app itself vouches for. A value of undefined is no property. */
export type StateProperties = (
  context: ForgeContext,
) => Record<string, string | undefined> | Promise<Record<string, string | undefined>>;

/** What a resolver function is called with. */
export interface ResolverRequest {
  payload?: unknown;
  context: ForgeContext;
}

/** Keeps the secret of each installation. By default Forge's own secret storage. */
export interface SecretStore {
  read(installation: string): Promise<InstallationSecret | undefined>;
  /** Stores it unless there is one already; resolves with the one that is stored. */
  create(installation: string, secret: InstallationSecret): Promise<InstallationSecret>;
  replace(installation: string, secret: InstallationSecret): Promise<void>;
}

export interface RealtimeOptions {
  /** Decides if this user may have a session in this context, and names the properties that it has verified. */
  authorize: Authorize;
  /**
   * Adds properties to the context that the app itself vouches for, such as `(context) => ({ team: teamOf(context) })`.
   * A property that the context has already must keep its value.
   */
  properties?: StateProperties;
  /**
   * Users without a licence who may have sessions, as in `unlicensedAccess` of the manifest. By default none: not even
   * authorize() is asked about them.
   */
  unlicensedAccess?: readonly UnlicensedUser[];
  /**
   * The app's environment, where neither the Forge runtime nor the context names it. Environments share no channel. A
   * server of the app's own (`app`, `signingKey` and `secrets` given, no Forge runtime) may leave it out.
   */
  environment?: string;
  /**
   * Believes the context's properties without a signature. In Forge, a user could then name any issue or dashboard of the
   * site. By default true on a server of the app's own, whose code makes the context, and false everywhere else.
   */
  trustUnsignedContext?: boolean;
  /** The relay: `wss://relay.example`. By default the variable SEALWIRE_URL. */
  url?: string;
  /** The app's id at the relay. By default the variable SEALWIRE_APP. */
  app?: string;
  /** `<key id>.<secret>`, as the relay's `init` prints it. By default the variable SEALWIRE_SIGNING_KEY. */
  signingKey?: string;
  /** By default Forge's secret storage, through @forge/kvs. */
  secrets?: SecretStore;
  /** By default the global fetch, which in a Forge function is Forge's. */
  fetch?: typeof globalThis.fetch;
  /** By default 15 minutes; at most 24 hours. */
  sessionLifetimeSeconds?: number;
  /** The longest time of one publish(), disconnect() or signRealtimeToken(), in milliseconds. By default 5,000. */
  timeoutMs?: number;
  /** Unix milliseconds. */
  now?: () => number;
}

export type Wrap = <H extends (...args: any[]) => unknown>(handler: H) => H;

export interface Realtime {
  publish: Publish;
  /** Publishes to the installation-wide channel of that name. */
  publishGlobal: Publish;
  /** A stream of text, such as a language model's answer. Pages read it with `realtime.stream`. */
  createStream: CreateStream;
  publishStream: PublishStream;
  signRealtimeToken: SignRealtimeToken;
  /** The resolver function that answers the page's request for a session: `resolver.define('sealwire:session', session)`. */
  session: (request: ResolverRequest) => Promise<ScopedGrant>;
  /**
   * The scope that publish() would publish to with these options: verified values, to keep in a queue's job or to look
   * up data by. Rejects where nobody vouches for them.
   */
  scope: (options?: ScopeOptions) => Promise<Record<string, string>>;
  /**
   * Ends the sessions that there are, and refuses their tokens. A page asks for a new session once: `authorize` says
   * whether it gets one, so take the permission away first.
   */
  disconnect: (
    whose: DisconnectSelector,
    options?: InvocationOption & TimeoutOption,
  ) => Promise<DisconnectResult>;
  /** Carries the invocation's context to the calls made during it: `handler = wrap(resolver.getDefinitions())`. */
  wrap: Wrap;
  /**
   * Adds an encryption key to the installation's secret. The one that it replaces is handed out for another 24 hours and
   * 10 minutes, until no session and no channel token can be without the new one. `keys` counts those in use.
   */
  rotateKey: (options?: InvocationOption) => Promise<{ createdAt: number; keys: number }>;
}
