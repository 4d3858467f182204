// A session with the resolver's notes on its scopes: the reason for a missing default scope, and advice for properties
// that the session lacks.

import type { SessionGrant } from './grant.js';

export interface ScopedGrant extends SessionGrant {
  /** The reason why the session has no default scope; absent where it has one. */
  noDefaultScope?: string;
  /** The advice for properties that the page's context has and the session lacks. */
  scopeHint?: string;
}
