// createTestRelay(): a relay, its pages and its resolver in one process, for an app's own unit tests.

import { checkOptions } from '../arguments/options.js';
import { invalid } from '../arguments/invalid.js';
import { parsePayload } from '../arguments/payload.js';
import { realtimeFrom as resolverFrom } from '../backend/realtime.js';
import type {
  Realtime as ResolverRealtime,
  RealtimeOptions as ResolverOptions,
  SecretStore,
} from '../backend/types.js';
import { realtimeWith } from '../browser/realtime.js';
import type { Realtime } from '../browser/types.js';
import type { ForgeContext } from '../context/properties.js';
import type { ClientOptions, CoreModule, Host } from '../core/browser-core.js';
import type { InstallationSecret } from '../core/resolver-core.js';
import { assumedType } from './assumed-type.js';
import { Backstage } from './backstage.js';
import { TestClient } from './client.js';
import { disconnectEndpoint } from './disconnect-endpoint.js';
import { eventId, type Publication } from './hub.js';
import { publishEndpoint } from './publish-endpoint.js';
import { testResolverCore } from './resolver-core.js';
import type { TestPageOptions, TestPublication, TestRelay, TestRelayOptions } from './types.js';
import { Gate } from './waiting.js';

const MAX_REPLAY_SECONDS = 120;

/** The context of a licensed user on a page without any product context. */
const CONTEXT: ForgeContext = {
  accountId: 'test-account',
  installContext: 'ari:cloud:jira::site/test',
  moduleKey: 'test-module',
  extension: {},
};

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
  const { replaySeconds = MAX_REPLAY_SECONDS, now = () => Date.now() } = checkOptions(
    given,
  ) as TestRelayOptions;
  if (!(replaySeconds > 0 && replaySeconds <= MAX_REPLAY_SECONDS)) {
    throw invalid(`The option replaySeconds must be a number above 0 and at most ${MAX_REPLAY_SECONDS}.`);
  }
  const backstage = new Backstage(replaySeconds, now);
  const secrets = secretsInMemory();
  /** Each page has a line of its own, which outlives its clients. */
  const lines = new Map<Realtime, Gate>();

  const [publishing, disconnecting] = [publishEndpoint(backstage), disconnectEndpoint(backstage)];
  const endpoints: typeof globalThis.fetch = (url, init) =>
    String(url).endsWith('/v1/disconnect') ? disconnecting(url, init) : publishing(url, init);

  function resolver(options: Partial<ResolverOptions> = {}): ResolverRealtime {
    const settings = {
      authorize: () => true,
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
    };
    return resolverFrom({ ...settings, ...checkOptions(options) }, () => testResolverCore);
  }

  function realtime(options: TestPageOptions = {}): Realtime {
    const {
      context,
      accountId,
      authorize,
      resolver: given,
      ...rest
    } = checkOptions(options) as TestPageOptions;
    const genuine = { ...CONTEXT, ...(accountId !== undefined && { accountId }), ...context };
    const app = given ?? resolver(authorize && { authorize });
    const session = (reason: string) => app.session({ context: genuine, payload: { reason } });
    const line = new Gate();
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
    lines.set(page, line);
    return page;
  }

  function linesOf(page: Realtime | undefined): Gate[] {
    if (page === undefined) return [...lines.values()];
    const line = lines.get(page);
    if (!line) throw invalid('This page is not one of this test relay.');
    return [line];
  }

  return {
    realtime,
    resolver,
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
