// The types of the testing aid.

import type { Authorize, RealtimeOptions as ResolverOptions } from '../backend/options.js';
import type { Realtime as ResolverRealtime } from '../backend/types.js';
import type { Realtime, RealtimeOptions } from '../browser/types.js';
import type { ChannelMap, ChannelName, WithMap } from '../channel-map.js';
import type { ForgeContext } from '../context/properties.js';

/** A function that a module exports as its handler: `resolver.getDefinitions()`, wrapped if it publishes. */
export type ResolverHandler = (request: any, runtime?: any) => unknown;

/** The options of `createTestRelay()`. */
export interface TestRelayOptions {
  /** The replay window, in seconds, above 0 and at most 120. The default is 120. */
  replaySeconds?: number;
  /** The `installContext` of pages and contexts that name none. The default is `ari:cloud:jira::site/test`. */
  installation?: string;
  /** Returns the current time in Unix milliseconds. The default is `Date.now`, which a test may have replaced. */
  now?: () => number;
}

/** The options of `relay.realtime()`. */
export interface TestPageOptions extends Omit<RealtimeOptions, 'core'> {
  /**
   * The page's context. Missing fields are those of a page without any product context. An `extension` without a `type`
   * gets the type of the simplest module with these properties.
   */
  context?: ForgeContext;
  /** The account of the user. The default is `test-account`, a licensed user. */
  accountId?: string;
  /**
   * Decides about the page's sessions, and replaces the app's own `authorize` during invocations from this page. By default,
   * everything is permitted, and the `authorize` of a handler applies.
   */
  authorize?: Authorize;
  /** The app's own resolver, from `relay.resolver()`, which answers the page's request for a session. */
  resolver?: ResolverRealtime;
  /** The handler that the app exports. Its function `sealwire:session` answers the page's request for a session. */
  handler?: ResolverHandler;
}

/** A message that the test relay has accepted. */
export interface TestPublication<P = unknown, C extends string = string> {
  /** The id of the message. */
  eventId: string;
  /** The time of the message, in Unix milliseconds. */
  timestamp: number;
  /** The name of the channel. */
  channel: C;
  /** The scope of the channel: property names and values. */
  scope: Record<string, string>;
  /** The claims of the channel token; absent if there was none. */
  claims?: unknown;
  /** The publisher's `eventName`; empty if there was none. */
  eventName: string;
  /** The payload, which only the test relay can read. */
  payload: P;
  /** The side that published the message. */
  from: 'page' | 'resolver';
  /** The account of the page; absent for a message of the resolver. */
  accountId?: string;
}

/** The publications of the channels `C` of a map, each with the payload of its channel. */
export type TestPublications<M extends ChannelMap<M>, C extends ChannelName<M>> = {
  [K in C]: TestPublication<M[K], K>;
}[C][];

/** A relay in memory, from `createTestRelay()`. With a channel map, its pages and resolvers have the types of the map. */
export interface TestRelay<M extends ChannelMap<M> = any> {
  /** Creates a page with a connection of its own, and returns its client. */
  realtime: (options?: TestPageOptions) => Realtime<M>;
  /**
   * Creates the API of the app's resolver. All options have defaults: `authorize` permits everything, and the test vouches
   * for the context (`trustUnsignedContext: false` leaves that to `authorize`, as in Forge).
   */
  resolver: (options?: Partial<ResolverOptions>) => ResolverRealtime<M>;
  /** The `installContext` of pages and contexts that name none. */
  readonly installation: string;
  /**
   * Calls a function of the handler that the app exports, as the platform does: with the context and the account of the
   * page, and with the test relay in place of the app's relay, variables and storage.
   *
   * @param handler - The exported handler.
   * @param functionKey - The name of the function, as in `resolver.define()`.
   * @param payload - The payload of the call.
   * @param page - The calling page. The default is a page without product context.
   * @returns The result of the function. The promise rejects with its exception.
   */
  invoke: (handler: ResolverHandler, functionKey: string, payload?: unknown, page?: Realtime) => Promise<any>;
  /**
   * Runs other code of the app, such as a consumer, with the test relay in place of its own:
   * `run(() => consumer(event, { installContext: relay.installation }))`. With a page, the code runs as part of an invocation
   * from it.
   */
  run: <R>(work: () => R, page?: Realtime) => R;
  /** Cuts a page, or every page, off the relay. Messages that are published meanwhile wait in the relay. */
  cut: (page?: Realtime) => void;
  /** Undoes `cut()`: delivers the waiting messages, or reports a gap if they have left the replay cache. */
  mend: (page?: Realtime) => void;
  /** Empties the replay cache, as time and memory pressure do. A page that is cut off then has a gap. */
  forget: () => void;
  /** Restarts the relay, which forgets everything: every page has a gap. */
  restart: () => void;
  /** Ends all existing sessions and channel tokens before their time. */
  expire: () => void;
  /** Returns all publications, oldest first; with a name, those of one channel. */
  published: WithMap<
    M,
    <C extends ChannelName<M> = ChannelName<M>>(channel?: C) => TestPublications<M, C>,
    (channel?: string) => TestPublication[]
  >;
  /** Resolves once every publication has been delivered, as far as the network allows. */
  settled: () => Promise<void>;
}
