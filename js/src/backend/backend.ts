// What the functions of one resolver-side instance share.

import { invalid } from '../arguments/invalid.js';
import { checkLifetime } from '../arguments/lifetime.js';
import { checkFunction } from '../arguments/options.js';
import type { ForgeContext } from '../context/properties.js';
import type { ResolverModule } from '../core/resolver-core.js';
import { checkUnlicensedAccess } from './accounts.js';
import { checkTimeout, DEFAULT_TIMEOUT_MS } from './deadline.js';
import type { Inquiry } from './inquiry.js';
import { InstallationSecrets } from './installation-secrets.js';
import { installationOf } from './installation.js';
import type { InvocationStorage } from './invocation.js';
import { ownServer } from './own-server.js';
import { readSettings, type Settings } from './settings.js';
import type { Authorize, RealtimeOptions, SecretStore, StateProperties } from './types.js';

const DEFAULT_LIFETIME_SECONDS = 15 * 60;

export interface Backend {
  core: () => ResolverModule;
  /** Undefined where only the platform's word counts and nobody gets a session. */
  authorize: Authorize | undefined;
  properties: StateProperties | undefined;
  unlicensedAccess: ReadonlySet<string>;
  /** Tells if the properties that only the context names count as vouched for. */
  trustsContext: () => boolean;
  isOwnServer: () => boolean;
  /** For tests: the type of a module whose context names none. */
  assumedType: ((context: ForgeContext) => string) | undefined;
  settings: () => Settings;
  installation: (context: ForgeContext) => string;
  secrets: InstallationSecrets;
  inquiries: WeakMap<object, Inquiry>;
  fetch: typeof globalThis.fetch;
  sessionLifetimeSeconds: number;
  /** The longest time of a call that may ask the relay. */
  timeoutMs: number;
  now: () => number;
}

export type BackendOptions = Omit<RealtimeOptions, 'authorize'> & {
  authorize?: Authorize;
  assumedType?: (context: ForgeContext) => string;
  /** For tests: the `installContext` of a context that names none. */
  assumedInstallation?: string;
};

/** The parts that differ between a Forge function and a test. */
export interface Surroundings {
  /** Mints and seals. Called at its first use: a function that does neither compiles nothing. */
  core: () => ResolverModule;
  /** Keeps the secrets of the installations, unless the app's options say otherwise. */
  secrets: () => SecretStore;
  /** Carries an invocation to the calls made during it. */
  invocations: () => InvocationStorage;
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
  { core, secrets }: Pick<Surroundings, 'core' | 'secrets'>,
): Backend {
  if (options.authorize !== undefined) checkFunction(options.authorize, 'The option authorize');
  if (options.fetch !== undefined) checkFunction(options.fetch, 'The option fetch');
  if (options.now !== undefined) checkFunction(options.now, 'The option now');
  if (options.properties !== undefined) checkFunction(options.properties, 'The option properties');
  const now = options.now ?? Date.now;
  const environment = checkEnvironment(options.environment);
  const trusts = checkFlag(options.trustUnsignedContext, 'trustUnsignedContext');
  const isOwnServer = ownServer(options);
  let settings: Settings | undefined;
  return {
    core,
    authorize: options.authorize,
    properties: options.properties,
    unlicensedAccess: checkUnlicensedAccess(options.unlicensedAccess),
    trustsContext: () => trusts ?? isOwnServer(),
    isOwnServer,
    assumedType: options.assumedType,
    settings: () => (settings ??= readSettings(options)),
    installation: (context) => {
      const { installContext = options.assumedInstallation } = context;
      return installationOf({ ...context, installContext }, environment, isOwnServer);
    },
    secrets: new InstallationSecrets(options.secrets ?? secrets(), now, core),
    inquiries: new WeakMap(),
    // Looked up at each call: Forge and tests replace the global.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    sessionLifetimeSeconds:
      checkLifetime(options.sessionLifetimeSeconds, 'sessionLifetimeSeconds') ?? DEFAULT_LIFETIME_SECONDS,
    timeoutMs: checkTimeout(options.timeoutMs) ?? DEFAULT_TIMEOUT_MS,
    now,
  };
}
