// The pages of one test relay: each has a context, a network and a realtime client. The app's functions run for a page with
// the test relay in place of the app's own relay and storage.

import { invalid } from '../arguments/invalid.js';
import { checkOptions } from '../arguments/options.js';
import type { Backend } from '../backend/backend.js';
import type { Authorize, RealtimeOptions as ResolverOptions } from '../backend/options.js';
import type { Realtime as ResolverRealtime } from '../backend/types.js';
import { realtimeWith } from '../browser/realtime.js';
import type { Realtime } from '../browser/types.js';
import type { ForgeContext } from '../context/properties.js';
import type { ClientOptions, CoreModule, Host } from '../core/browser-core.js';
import { SESSION_FUNCTION } from '../session/forge-session.js';
import type { SessionGrant, SessionRequest } from '../session/grant.js';
import { TestClient } from './client.js';
import { invokeWith, runWith, type ReplaceBackend } from './invoke.js';
import type { TestResolvers } from './resolvers.js';
import { Gate } from './timing.js';
import type { ResolverHandler, TestPageOptions } from './types.js';
import type { World } from './world.js';

/** The context of a licensed user on a page without any product context. */
const CONTEXT: ForgeContext = { accountId: 'test-account', moduleKey: 'test-module', extension: {} };

interface Page {
  context: ForgeContext;
  authorize?: Authorize | undefined;
  /** The page's way to the relay, which outlives its clients. */
  network: Gate;
}

export class TestPages {
  readonly #world: World;
  readonly #resolvers: TestResolvers;
  readonly #installation: string;
  readonly #pages = new Map<Realtime, Page>();

  constructor(world: World, resolvers: TestResolvers, installation: string) {
    this.#world = world;
    this.#resolvers = resolvers;
    this.#installation = installation;
  }

  /** Creates a page and returns its client. */
  create(options: TestPageOptions = {}): Realtime {
    const { context, accountId, authorize, resolver, handler, ...rest } = checkOptions(
      options,
    ) as TestPageOptions;
    if (resolver !== undefined && handler !== undefined) {
      throw invalid('The options resolver and handler exclude each other: both answer with sessions.');
    }
    const page: Page = {
      context: {
        ...CONTEXT,
        installContext: this.#installation,
        ...(accountId !== undefined && { accountId }),
        ...context,
      },
      authorize,
      network: new Gate(),
    };
    const session = this.#sessionOf(page, resolver, handler);
    const load = async () => this.#coreOf(page);
    const realtime = realtimeWith({ session, ...rest, core: 'js' }, { wasm: load, js: load });
    this.#pages.set(realtime, page);
    return realtime;
  }

  /** Returns the networks of a page, or of all pages. */
  networks(realtime: Realtime | undefined): Gate[] {
    if (realtime === undefined) return [...this.#pages.values()].map(({ network }) => network);
    return [this.#pageOf(realtime).network];
  }

  /** Calls a function of the app's handler from a page, or from a page without product context. */
  invoke(
    handler: ResolverHandler,
    functionKey: string,
    payload: unknown,
    realtime: Realtime | undefined,
  ): Promise<unknown> {
    return this.#invoke(this.#pageOf(realtime), handler, functionKey, payload);
  }

  /** Runs code of the app; with a page, as part of an invocation from it. */
  run<R>(work: () => R, realtime: Realtime | undefined): R {
    const page = this.#pageOf(realtime);
    return runWith(this.#replaceBackend(page), realtime && page.context, work);
  }

  #pageOf(realtime: Realtime | undefined): Page {
    if (realtime === undefined) {
      return { context: { ...CONTEXT, installContext: this.#installation }, network: new Gate() };
    }
    const known = this.#pages.get(realtime);
    if (!known) throw invalid('This page is not one of this test relay.');
    return known;
  }

  /** Returns the function that provides the page's sessions. */
  #sessionOf(
    page: Page,
    resolver: ResolverRealtime | undefined,
    handler: ResolverHandler | undefined,
  ): (request: SessionRequest) => Promise<SessionGrant> {
    const { context, authorize } = page;
    const options: Partial<ResolverOptions> | undefined = authorize && { authorize };
    const app = resolver ?? this.#resolvers.create(options);
    return async (request) =>
      handler
        ? ((await this.#invoke(page, handler, SESSION_FUNCTION, request)) as SessionGrant)
        : app.session({ context, payload: request });
  }

  /** Returns the core of a page, whose clients are clients of the test relay. */
  #coreOf({ network }: Page): CoreModule {
    const world = this.#world;
    return {
      Client: class extends TestClient {
        constructor(host: Host, options: ClientOptions) {
          super(world, network, host, options);
        }
      },
    };
  }

  #invoke(page: Page, handler: ResolverHandler, functionKey: string, payload: unknown): Promise<unknown> {
    return invokeWith(this.#replaceBackend(page), handler, functionKey, payload, page.context);
  }

  #replaceBackend(page: Page): ReplaceBackend {
    const replacements = new WeakMap<Backend, Backend>();
    return (own) => {
      const existing = replacements.get(own);
      if (existing) return existing;
      const replacement = this.#resolvers.replace(own, page.authorize);
      replacements.set(own, replacement);
      return replacement;
    };
  }
}
