// The resolver's API in a Forge function: with the core that mints and seals, Forge's storage, and Node's way to carry an
// invocation.

import { AsyncLocalStorage } from 'node:async_hooks';

import { resolverCore } from '../core/load-resolver.js';
import type { Surroundings } from './backend.js';
import { forgeSecrets } from './forge-secrets.js';
import { wrapper, type Invocation } from './invocation.js';
import { realtimeFrom, realtimeWith } from './realtime.js';
import type { Realtime, RealtimeOptions, Wrap } from './types.js';

const forge: Surroundings = {
  core: resolverCore,
  secrets: () => forgeSecrets(),
  invocations: () => new AsyncLocalStorage<Invocation>(),
};

/** Reads its settings and compiles the core at the first call, so that it can be made while the module is loaded. */
export function createRealtime(options: RealtimeOptions): Realtime {
  return realtimeWith(options, forge);
}

/** For the functions that take the place of @forge/realtime's. */
export function byThePlatform(): Realtime {
  return realtimeFrom({}, forge);
}

/** Carries the invocation's context to the calls made during it: `handler = wrap(resolver.getDefinitions())`. */
export const wrap: Wrap = /* @__PURE__ */ wrapper(forge.invocations);
