// A session with what the resolver says of its scopes: whether there is a default one, and what to do about properties
// that the session lacks.

import type { SessionGrant } from './grant.js';

export interface ScopedGrant extends SessionGrant {
  /** Why the whole context is no scope of its own; absent where it is the default scope. */
  noDefaultScope?: string;
  /** What to do about the properties that the page's context has and the session has not. */
  scopeHint?: string;
}
