// Distinguishes a server of the app's own from the functions of a Forge app. On such a server, the app's code makes the
// context of each call. In Forge, the context comes with the call of a user.

import { forgePlatform } from './platform.js';

export interface OwnServerOptions {
  app?: unknown;
  signingKey?: unknown;
  secrets?: unknown;
}

/**
 * Returns a function that tells whether this is a server of the app's own: the options name the app, its signing key and a
 * store for its secrets, so that none of them come from Forge, and no call so far had a Forge runtime.
 */
export function ownServer({ app, signingKey, secrets }: OwnServerOptions): () => boolean {
  const standsAlone = app !== undefined && signingKey !== undefined && secrets !== undefined;
  let seenForge = false;
  return () => {
    seenForge ||= forgePlatform() !== undefined;
    return standsAlone && !seenForge;
  };
}
