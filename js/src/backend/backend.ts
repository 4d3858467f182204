// The state that the functions of one resolver-side instance share: the app's checked options, its settings and secrets.

import { invalid } from '../arguments/invalid.js';
import { checkLifetime } from '../arguments/lifetime.js';
import { checkFunction } from '../arguments/options.js';
import type { ForgeContext } from '../context/properties.js';
import type { ResolverModule } from '../core/resolver-core.js';
import { checkUnlicensedAccess } from './accounts.js';
import { checkTimeout, DEFAULT_TIMEOUT_MS } from './deadline.js';
import { InstallationSecrets } from './installation-secrets.js';
import { installationOf } from './installation.js';
import type { Authorize, RealtimeOptions, SecretStore, StateProperties } from './options.js';
import { ownServer } from './own-server.js';
import { relaySettings, type PendingSettings } from './relay-settings.js';
import { blindNamesByVariable } from './settings.js';
import type { Signing } from './signing.js';

const DEFAULT_LIFETIME_SECONDS = 15 * 60;

export interface Backend {
  core: () => ResolverModule;
  /** Undefined if only the platform vouches for properties and nobody may have a session. */
  authorize: Authorize | undefined;
  properties: StateProperties | undefined;
  unlicensedAccess: ReadonlySet<string>;
  /** Returns whether properties that only the context names count as vouched for. */
  trustsContext: () => boolean;
  isOwnServer: () => boolean;
  /** For tests: returns the module type for a context that names none. */
  assumedType: ((context: ForgeContext) => string) | undefined;
  /** Reads the settings for a context. Calls of one invocation share them through its Inquiry. */
  settings: (context: ForgeContext) => PendingSettings;
  installation: (context: ForgeContext) => string;
  secrets: InstallationSecrets;
  signing: Signing;
  fetch: typeof globalThis.fetch;
  /** Returns whether the relay sees tags in place of names. */
  blindNames: () => boolean;
  sessionLifetimeSeconds: number;
  /** The maximum duration of a call that may ask the relay. */
  timeoutMs: number;
  now: () => number;
}

export type BackendOptions = Omit<RealtimeOptions, 'authorize'> & {
  authorize?: Authorize;
  assumedType?: (context: ForgeContext) => string;
  /** For tests: the `installContext` for a context that names none. */
  assumedInstallation?: string;
};

/** The dependencies that differ between a Forge function and a test. */
export interface BackendDependencies {
  /** Returns the core that mints and seals. It is called at the first use, so that other functions compile nothing. */
  core: () => ResolverModule;
  /** Returns the default store of the installations' secrets. */
  secrets: () => SecretStore;
  /** Creates signing keys and signs the messages of functions. */
  signing: Signing;
}

function checkEnvironment(environment: unknown): string | undefined {
  if (environment === undefined || (typeof environment === 'string' && environment !== ''))
    return environment;
  throw invalid("The option environment must be a text such as 'development'.");
}

function checkFlag(value: unknown, option: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(`The option ${option} must be true or false.`);
}

export function backendFrom(
  options: BackendOptions,
  { core, secrets, signing }: BackendDependencies,
): Backend {
  if (options.authorize !== undefined) checkFunction(options.authorize, 'The option authorize');
  if (options.fetch !== undefined) checkFunction(options.fetch, 'The option fetch');
  if (options.now !== undefined) checkFunction(options.now, 'The option now');
  if (options.properties !== undefined) checkFunction(options.properties, 'The option properties');
  const now = options.now ?? Date.now;
  const environment = checkEnvironment(options.environment);
  const trusts = checkFlag(options.trustUnsignedContext, 'trustUnsignedContext');
  const blindNames = checkFlag(options.blindNames, 'blindNames');
  const isOwnServer = ownServer(options);
  return {
    core,
    authorize: options.authorize,
    properties: options.properties,
    unlicensedAccess: checkUnlicensedAccess(options.unlicensedAccess),
    trustsContext: () => trusts ?? isOwnServer(),
    isOwnServer,
    assumedType: options.assumedType,
    settings: relaySettings(options),
    installation: (context) => {
      const { installContext = options.assumedInstallation } = context;
      return installationOf({ ...context, installContext }, environment, isOwnServer);
    },
    secrets: new InstallationSecrets(options.secrets ?? secrets(), now, core, signing),
    signing,
    // The global is read at each call, since Forge and tests replace it.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    blindNames: () => blindNames ?? blindNamesByVariable(),
    sessionLifetimeSeconds:
      checkLifetime(options.sessionLifetimeSeconds, 'sessionLifetimeSeconds') ?? DEFAULT_LIFETIME_SECONDS,
    timeoutMs: checkTimeout(options.timeoutMs) ?? DEFAULT_TIMEOUT_MS,
    now,
  };
}
