// createTestRelay(): a relay, its pages and its resolver in one process, for an app's own unit tests.

import { checkFunction, checkOptions } from '../arguments/options.js';
import { invalid } from '../arguments/invalid.js';
import { parsePayload } from '../arguments/payload.js';
import { backendFrom, type Backend } from '../backend/backend.js';
import { realtimeFrom as resolverFrom } from '../backend/realtime.js';
import type {
  Authorize,
  Realtime as ResolverRealtime,
  RealtimeOptions as ResolverOptions,
  SecretStore,
} from '../backend/types.js';
import { realtimeWith } from '../browser/realtime.js';
import type { Realtime } from '../browser/types.js';
import type { ForgeContext } from '../context/properties.js';
import type { ClientOptions, CoreModule, Host } from '../core/browser-core.js';
import type { InstallationSecret } from '../core/resolver-core.js';
import { SESSION_FUNCTION } from '../session/forge-session.js';
import type { SessionGrant } from '../session/grant.js';
import { assumedType } from './assumed-type.js';
import { Backstage } from './backstage.js';
import { TestClient } from './client.js';
import { disconnectEndpoint } from './disconnect-endpoint.js';
import { eventId, type Publication } from './hub.js';
import { testInvocations } from './invocations.js';
import { invokeOn, runOn, type Stage } from './invoke.js';
import { publishEndpoint } from './publish-endpoint.js';
import { testResolverCore } from './resolver-core.js';
import type {
  ResolverHandler,
  TestPageOptions,
  TestPublication,
  TestRelay,
  TestRelayOptions,
} from './types.js';
import { Gate } from './waiting.js';

const MAX_REPLAY_SECONDS = 120;

/** The context of a licensed user on a page without any product context. */
const CONTEXT: ForgeContext = { accountId: 'test-account', moduleKey: 'test-module', extension: {} };
const INSTALLATION = 'ari:cloud:jira::site/test';

interface Page {
  context: ForgeContext;
  authorize?: Authorize | undefined;
  /** Its way to the relay, which outlives its clients. */
  line: Gate;
}

function secretsInMemory(): SecretStore {
  const secrets = new Map<string, InstallationSecret>();
  return {
    read: async (installation) => secrets.get(installation),
    create: async (installation, secret) => {
      if (!secrets.has(installation)) secrets.set(installation, secret);
      return secrets.get(installation) as InstallationSecret;
    },
    replace: async (installation, secret) => void secrets.set(installation, secret),
  };
}

function shown(publication: Publication): TestPublication {
  const { address, timestamp, event, payload, from, accountId } = publication;
  return {
    eventId: eventId(publication),
    timestamp,
    channel: address.name,
    scope: { ...address.scope },
    ...(address.claims !== undefined && { claims: JSON.parse(address.claims) as unknown }),
    eventName: event,
    payload: parsePayload(payload),
    from,
    ...(accountId !== undefined && { accountId }),
  };
}

/** A relay in memory. It needs no network, no core and no Forge, and keeps the rules of the real one. */
export function createTestRelay(given: TestRelayOptions = {}): TestRelay {
  const {
    replaySeconds = MAX_REPLAY_SECONDS,
    installation = INSTALLATION,
    now = () => Date.now(),
  } = checkOptions(given) as TestRelayOptions;
  if (typeof installation !== 'string' || installation === '') {
    throw invalid("The option installation must be a text such as 'ari:cloud:jira::site/test'.");
  }
  if (!(replaySeconds > 0 && replaySeconds <= MAX_REPLAY_SECONDS)) {
    throw invalid(`The option replaySeconds must be a number above 0 and at most ${MAX_REPLAY_SECONDS}.`);
  }
  const backstage = new Backstage(replaySeconds, now);
  const secrets = secretsInMemory();
  const pages = new Map<Realtime, Page>();

  const [publishing, disconnecting] = [publishEndpoint(backstage), disconnectEndpoint(backstage)];
  const endpoints: typeof globalThis.fetch = (url, init) =>
    String(url).endsWith('/v1/disconnect') ? disconnecting(url, init) : publishing(url, init);

  const settings = {
    url: 'wss://relay.test',
    app: 'test',
    signingKey: 'test.test',
    secrets,
    fetch: endpoints,
    now,
    environment: 'test',
    // The test makes the context, as the platform does elsewhere.
    trustUnsignedContext: true,
    assumedType,
    assumedInstallation: installation,
  };
  const surroundings = {
    core: () => testResolverCore,
    secrets: () => secrets,
    invocations: testInvocations,
  };
  const staged = backendFrom(settings, surroundings);

  /** What the app's own createRealtime() works with during an invocation from a page. Its rules stay the app's. */
  function stageOf(page: Page): Stage {
    const made = new WeakMap<Backend, Backend>();
    return (own) => {
      // One of relay.resolver() is on this stage already.
      if (own.fetch === endpoints) return own;
      const { properties, unlicensedAccess, sessionLifetimeSeconds } = own;
      const authorize = page.authorize ?? own.authorize;
      const theirs = { authorize, properties, unlicensedAccess, sessionLifetimeSeconds };
      if (!made.has(own)) made.set(own, { ...staged, ...theirs, inquiries: new WeakMap() });
      return made.get(own) as Backend;
    };
  }

  function resolver(options: Partial<ResolverOptions> = {}): ResolverRealtime {
    return resolverFrom({ authorize: () => true, ...settings, ...checkOptions(options) }, surroundings);
  }

  function realtime(options: TestPageOptions = {}): Realtime {
    const {
      context,
      accountId,
      authorize,
      resolver: given,
      handler,
      ...rest
    } = checkOptions(options) as TestPageOptions;
    if (given !== undefined && handler !== undefined) {
      throw invalid('The options resolver and handler exclude each other: both answer with sessions.');
    }
    const genuine = {
      ...CONTEXT,
      installContext: installation,
      ...(accountId !== undefined && { accountId }),
      ...context,
    };
    const line = new Gate();
    const made: Page = { context: genuine, authorize, line };
    const app = given ?? resolver(authorize && { authorize });
    const session = async (reason: string) =>
      handler
        ? ((await invoke(made, handler, SESSION_FUNCTION, { reason })) as SessionGrant)
        : app.session({ context: genuine, payload: { reason } });
    const module: CoreModule = {
      Client: class extends TestClient {
        constructor(host: Host, settings: ClientOptions) {
          super(backstage, host, settings);
          backstage.put(this, line);
        }
      },
    };
    const load = async () => module;
    const page = realtimeWith({ session, ...rest, core: 'js' }, { wasm: load, js: load });
    pages.set(page, made);
    return page;
  }

  function pageOf(page: Realtime | undefined): Page {
    if (page === undefined)
      return { context: { ...CONTEXT, installContext: installation }, line: new Gate() };
    const known = pages.get(page);
    if (!known) throw invalid('This page is not one of this test relay.');
    return known;
  }

  function linesOf(page: Realtime | undefined): Gate[] {
    return page === undefined ? [...pages.values()].map(({ line }) => line) : [pageOf(page).line];
  }

  function invoke(page: Page, handler: ResolverHandler, functionKey: string, payload: unknown) {
    return invokeOn(stageOf(page), handler, functionKey, payload, page.context);
  }

  return {
    realtime,
    resolver,
    installation,
    invoke: async (handler, functionKey, payload, page) =>
      (await invoke(pageOf(page), handler, functionKey, payload)) as any,
    run: (work, page) => {
      checkFunction(work, 'run() takes work, which');
      const of = pageOf(page);
      return runOn(stageOf(of), page && of.context, work);
    },
    cut: (page) => {
      const cut = linesOf(page);
      for (const line of cut) line.shut();
      for (const client of backstage.clients) if (cut.includes(backstage.gate(client))) client.lost();
    },
    mend: (page) => {
      for (const line of linesOf(page)) line.open();
    },
    forget: () => backstage.hub.forget(),
    restart: () => {
      backstage.hub.restart();
      for (const client of backstage.clients) client.lost();
    },
    expire: () => {
      backstage.expireAll();
      for (const client of backstage.clients) client.expire();
    },
    published: (channel) =>
      backstage.hub.published
        .filter(({ address }) => channel === undefined || address.name === channel)
        .map(shown),
    settled: () => backstage.settled(),
  };
}
