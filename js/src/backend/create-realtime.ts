// The resolver's API with the core that mints and seals.

import { resolverCore } from '../core/load-resolver.js';
import { realtimeFrom, realtimeWith } from './realtime.js';
import type { Realtime, RealtimeOptions } from './types.js';

/** Reads its settings and compiles the core at the first call, so that it can be made while the module is loaded. */
export function createRealtime(options: RealtimeOptions): Realtime {
  return realtimeWith(options, resolverCore);
}

/** For the functions that take the place of @forge/realtime's. */
export function byThePlatform(): Realtime {
  return realtimeFrom({}, resolverCore);
}
