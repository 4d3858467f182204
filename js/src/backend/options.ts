// The options of the resolver's createRealtime(): the functions and values that an app provides.

import type { ForgeContext } from '../context/properties.js';
import type { InstallationSecret } from '../core/resolver-core.js';
import type { UnlicensedUser } from './accounts.js';

/**
 * The permissions of a user, and the properties that they hold for. `true` grants `subscribe` and `publish` on the
 * properties that the platform vouches for; `false` refuses the session. `presence` is granted only if it is `true`.
 * `properties` names the properties of the context to which the app has verified the user's access: the session then has
 * exactly these.
 */
export type Authorization =
  boolean | { properties?: readonly string[]; subscribe?: boolean; publish?: boolean; presence?: boolean };

/**
 * Decides about the user of an invocation. Of the context, Forge guarantees `accountId` and `installContext`. The rest
 * comes with the call: verify it with the product before relying on it, as `verifyDashboard()` and the like do.
 *
 * @param context - The context of the invocation.
 * @returns The decision. An exception grants nothing.
 */
export type Authorize = (context: ForgeContext) => Authorization | Promise<Authorization>;

/**
 * States properties that the app itself vouches for.
 *
 * @param context - The context of the invocation.
 * @returns Property names and values. A property with the value undefined is left out.
 */
export type StateProperties = (
  context: ForgeContext,
) => Record<string, string | undefined> | Promise<Record<string, string | undefined>>;

/**
 * The value of `url`, `app` or `signingKey`, or a function that returns it for the context of an invocation: the relay of a
 * region, or that of a customer.
 *
 * The function is called once for each session, and once per invocation and context for all publications, channel tokens and
 * calls of `disconnect()` in it; outside an invocation that `wrap()` carries, by each call or text stream. No result is kept
 * for the next invocation. It has the time of the call (`timeoutMs`). If it throws, is late, or returns no text, the call
 * fails, and the variable is not used in its place.
 *
 * Of the context, Forge guarantees `accountId` and `installContext`. A relay that depends on anything else is chosen by the
 * caller.
 */
export type RelaySetting = string | ((context: ForgeContext) => string | Promise<string>);

/** Stores the secret of each installation. The default is Forge's own secret storage. */
export interface SecretStore {
  /** Resolves with the stored secret, or undefined if there is none. */
  read(installation: string): Promise<InstallationSecret | undefined>;
  /** Stores the secret unless one exists, and resolves with the one that is stored afterwards. */
  create(installation: string, secret: InstallationSecret): Promise<InstallationSecret>;
  /** Replaces the stored secret. */
  replace(installation: string, secret: InstallationSecret): Promise<void>;
}

/** The options of `createRealtime()` in the app's functions. `sealwire` exports another type of this name for pages. */
export interface RealtimeOptions {
  /** Decides whether a user may have a session in a context, and names the properties that it has verified. */
  authorize: Authorize;
  /**
   * Adds properties to the context that the app itself vouches for, such as `(context) => ({ team: teamOf(context) })`.
   * A property that the context already has must keep its value. The default adds none.
   */
  properties?: StateProperties;
  /**
   * The kinds of users without a licence who may have sessions, as in `unlicensedAccess` of the manifest. The default is
   * none: they are refused without a call of `authorize`.
   */
  unlicensedAccess?: readonly UnlicensedUser[];
  /**
   * The app's environment, such as `development`, if neither the Forge runtime nor the context names it. Environments share
   * no channel. A server of the app's own (`app`, `signingKey` and `secrets` given, no Forge runtime) may leave it out.
   */
  environment?: string;
  /**
   * Trusts the context's properties without a signature. In Forge, this lets a user name any issue or dashboard of the
   * site. The default is true on a server of the app's own, whose code makes the context, and false everywhere else.
   */
  trustUnsignedContext?: boolean;
  /** The address of the relay, such as `wss://relay.example`. The default is the variable SEALWIRE_URL. */
  url?: RelaySetting;
  /** The app's id at the relay. The default is the variable SEALWIRE_APP. */
  app?: RelaySetting;
  /** `<key id>.<secret>`, as the relay's `init` prints it. The default is the variable SEALWIRE_SIGNING_KEY. */
  signingKey?: RelaySetting;
  /** The store of the installations' secrets. The default is Forge's secret storage, through @forge/kvs. */
  secrets?: SecretStore;
  /** The function that sends HTTP requests to the relay. The default is the global `fetch`, in Forge that of the platform. */
  fetch?: typeof globalThis.fetch;
  /**
   * Sends the relay keyed tags in place of channel names, event names and the values of properties. Names and values then
   * have at most 159 bytes. All functions of the app must have the same setting. The default is the variable
   * SEALWIRE_BLIND_NAMES (`true` or `false`), and false without it.
   */
  blindNames?: boolean;
  /** The lifetime of a session token, in seconds, at most 24 hours. The default is 900 (15 minutes). */
  sessionLifetimeSeconds?: number;
  /**
   * The maximum duration of one `publish()`, `disconnect()` or `signRealtimeToken()`, in milliseconds, at most 15 minutes.
   * The default is 5,000. A call never takes longer than the Forge function has left.
   */
  timeoutMs?: number;
  /** Returns the current time in Unix milliseconds. The default is `Date.now`. */
  now?: () => number;
}
