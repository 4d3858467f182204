// The types of the testing aid.

import type {
  Authorize,
  Realtime as ResolverRealtime,
  RealtimeOptions as ResolverOptions,
} from '../backend/types.js';
import type { Realtime, RealtimeOptions } from '../browser/types.js';
import type { ForgeContext } from '../context/properties.js';

/** A function that a module exports as its handler: `resolver.getDefinitions()`, wrapped where it publishes. */
export type ResolverHandler = (request: any, runtime?: any) => unknown;

export interface TestRelayOptions {
  /** How far back the relay can replay, in seconds. By default and at most 120. */
  replaySeconds?: number;
  /** The `installContext` of pages and contexts that name none. By default `ari:cloud:jira::site/test`. */
  installation?: string;
  /** Unix milliseconds. By default the clock of the process, which a test may have replaced. */
  now?: () => number;
}

export interface TestPageOptions extends Omit<RealtimeOptions, 'core'> {
  /**
   * The page's context. Fields that are left out are those of a page without any product context; an `extension` without a
   * `type` gets the type of a module that shows such things.
   */
  context?: ForgeContext;
  /** By default `test-account`, a licensed user. */
  accountId?: string;
  /**
   * Decides about the page's sessions, and in place of the app's own authorize() during invocations from this page. By
   * default everybody may do everything, and a handler's own authorize() counts.
   */
  authorize?: Authorize;
  /** The app's own resolver, as relay.resolver() made it: it answers the page's request for a session. */
  resolver?: ResolverRealtime;
  /** The handler that the app exports: its function `sealwire:session` answers the page's request for a session. */
  handler?: ResolverHandler;
}

/** A message that the relay took. */
export interface TestPublication {
  eventId: string;
  timestamp: number;
  channel: string;
  scope: Record<string, string>;
  /** The claims of the channel token, where there was one. */
  claims?: unknown;
  /** Empty where the publisher named none. */
  eventName: string;
  payload: unknown;
  from: 'page' | 'resolver';
  accountId?: string;
}

export interface TestRelay {
  /** A page of its own, with a connection of its own. */
  realtime: (options?: TestPageOptions) => Realtime;
  /**
   * The app's resolver. Everything that it needs has a default; `authorize` allows everything, and the test vouches for
   * the context (`trustUnsignedContext: false` leaves that to authorize, as in Forge).
   */
  resolver: (options?: Partial<ResolverOptions>) => ResolverRealtime;
  /** The `installContext` of pages and contexts that name none. */
  readonly installation: string;
  /**
   * Calls a function of the handler that the app exports, as the platform does: with the context and the account of the
   * page (by default those of a page without product context), and with the test relay in place of the app's relay,
   * variables and storage. Resolves to what the function returns, and rejects with what it throws.
   */
  invoke: (handler: ResolverHandler, functionKey: string, payload?: unknown, page?: Realtime) => Promise<any>;
  /**
   * Runs other code of the app with the test relay in place of its own, such as a consumer:
   * `run(() => consumer(event, { installContext: relay.installation }))`. With a page, its context is the invocation's.
   */
  run: <R>(work: () => R, page?: Realtime) => R;
  /** Cuts a page, or every page, off the relay. What is published meanwhile waits in the relay. */
  cut: (page?: Realtime) => void;
  /** Undoes cut(): what waited is delivered, or a gap reported where it is gone. */
  mend: (page?: Realtime) => void;
  /** Empties the relay's replay cache, as time and many messages do. A page that is cut off then has a gap. */
  forget: () => void;
  /** The relay starts anew and knows nothing of before: every page has a gap. */
  restart: () => void;
  /** Ends every session and channel token that there is, before its time. */
  expire: () => void;
  /** Everything that was published, oldest first; of one channel, where a name is given. */
  published: (channel?: string) => TestPublication[];
  /** Resolves when everything that was published has been delivered, as far as it can be. */
  settled: () => Promise<void>;
}
