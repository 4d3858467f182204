// What the functions of one resolver-side instance share.

import { checkLifetime } from '../arguments/lifetime.js';
import type { ResolverModule } from '../core/resolver-core.js';
import { InstallationSecrets } from './installation-secrets.js';
import { forgeSecrets } from './forge-secrets.js';
import { readSettings, type Settings } from './settings.js';
import type { Authorize, RealtimeOptions } from './types.js';

const DEFAULT_LIFETIME_SECONDS = 15 * 60;

export interface Backend {
  core: () => ResolverModule;
  authorize: Authorize;
  settings: () => Settings;
  secrets: InstallationSecrets;
  fetch: typeof globalThis.fetch;
  sessionLifetimeSeconds: number;
  now: () => number;
}

/** `core` is called at its first use: a function that mints nothing compiles nothing. */
export function backendFrom(options: RealtimeOptions, core: () => ResolverModule): Backend {
  const now = options.now ?? Date.now;
  let settings: Settings | undefined;
  return {
    core,
    authorize: options.authorize,
    settings: () => (settings ??= readSettings(options)),
    secrets: new InstallationSecrets(options.secrets ?? forgeSecrets(), now, core),
    // Looked up at each call: Forge and tests replace the global.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    sessionLifetimeSeconds:
      checkLifetime(options.sessionLifetimeSeconds, 'sessionLifetimeSeconds') ?? DEFAULT_LIFETIME_SECONDS,
    now,
  };
}
