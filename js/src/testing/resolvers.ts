// The resolver side of one test relay: the settings with which the app's functions reach the test relay.

import { checkOptions } from '../arguments/options.js';
import { backendFrom, type Backend, type BackendOptions } from '../backend/backend.js';
import type { Authorize, RealtimeOptions, SecretStore } from '../backend/options.js';
import { realtimeFrom, type Dependencies } from '../backend/realtime.js';
import type { Realtime } from '../backend/types.js';
import type { InstallationSecret } from '../core/resolver-core.js';
import { assumedType } from './assumed-type.js';
import { disconnectEndpoint } from './disconnect-endpoint.js';
import { testInvocations } from './invocations.js';
import { publishEndpoint } from './publish-endpoint.js';
import { testResolverCore, testSigning } from './resolver-core.js';
import type { World } from './world.js';

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

export class TestResolvers {
  readonly #settings: BackendOptions;
  readonly #dependencies: Dependencies;
  readonly #backend: Backend;

  constructor(world: World, installation: string) {
    const [publish, disconnect] = [publishEndpoint(world), disconnectEndpoint(world)];
    const secrets = secretsInMemory();
    this.#settings = {
      url: 'wss://relay.test',
      app: 'test',
      signingKey: 'test.test',
      secrets,
      fetch: (url, init) => (String(url).endsWith('/v1/disconnect') ? disconnect : publish)(url, init),
      now: world.now,
      environment: 'test',
      // A test makes the context itself, as the platform does elsewhere.
      trustUnsignedContext: true,
      assumedType,
      assumedInstallation: installation,
    };
    this.#dependencies = {
      core: () => testResolverCore,
      secrets: () => secrets,
      signing: testSigning,
      invocations: testInvocations,
    };
    this.#backend = backendFrom(this.#settings, this.#dependencies);
  }

  /** Creates the API of a resolver, which uses the test relay. */
  create(options: Partial<RealtimeOptions> = {}): Realtime {
    const settings = { authorize: () => ({ presence: true }), ...this.#settings, ...checkOptions(options) };
    return realtimeFrom(settings, this.#dependencies);
  }

  /** Returns a backend of the test relay that keeps the rules of the app's own one. `authorize` replaces the app's. */
  replace(own: Backend, authorize: Authorize | undefined): Backend {
    // The backend of create() uses the test relay already.
    if (own.fetch === this.#backend.fetch) return own;
    const { properties, unlicensedAccess, blindNames, sessionLifetimeSeconds } = own;
    return {
      ...this.#backend,
      authorize: authorize ?? own.authorize,
      properties,
      unlicensedAccess,
      blindNames,
      sessionLifetimeSeconds,
    };
  }
}
