// What the functions of one resolver-side instance share.

import { checkLifetime } from '../arguments/lifetime.js';
import { InstallationSecrets } from './installation-secrets.js';
import { forgeSecrets } from './forge-secrets.js';
import { readSettings, type Settings } from './settings.js';
import type { Authorize, RealtimeOptions } from './types.js';

const DEFAULT_LIFETIME_SECONDS = 15 * 60;

export interface Backend {
  authorize: Authorize;
  settings: () => Settings;
  secrets: InstallationSecrets;
  fetch: typeof globalThis.fetch;
  sessionLifetimeSeconds: number;
  now: () => number;
}

export function backendFrom(options: RealtimeOptions): Backend {
  const now = options.now ?? Date.now;
  let settings: Settings | undefined;
  return {
    authorize: options.authorize,
    settings: () => (settings ??= readSettings(options)),
    secrets: new InstallationSecrets(options.secrets ?? forgeSecrets(), now),
    // Looked up at each call: Forge and tests replace the global.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    sessionLifetimeSeconds:
      checkLifetime(options.sessionLifetimeSeconds, 'sessionLifetimeSeconds') ?? DEFAULT_LIFETIME_SECONDS,
    now,
  };
}
