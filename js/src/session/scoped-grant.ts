// A session with the resolver's notes on its scopes, for the errors and the panel that a page shows.

import type { SessionGrant } from './grant.js';

/** A session with the reason for a missing default scope, and advice for properties that it lacks. */
export interface ScopedGrant extends SessionGrant {
  /** Property names and values, if those of `context` are tags. */
  readableContext?: Record<string, string>;
  /** The reason for which the session has no default scope; absent if it has one. */
  noDefaultScope?: string;
  /** The advice for properties that the page's context has and the session lacks; absent if there are none. */
  scopeHint?: string;
}
