// createRealtime() and wrap() for Forge functions: with the Rust core, Forge's storage, and Node's AsyncLocalStorage.

import { AsyncLocalStorage } from 'node:async_hooks';

import type { ChannelMap } from '../channel-map.js';
import { resolverCore } from '../core/load-resolver.js';
import { forgeSecrets } from './forge-secrets.js';
import { wrapper, type Invocation } from './invocation.js';
import type { RealtimeOptions } from './options.js';
import { realtimeFrom, realtimeWith, type Dependencies } from './realtime.js';
import { nodeSigning } from './signing.js';
import type { Realtime, Wrap } from './types.js';

const forge: Dependencies = {
  core: resolverCore,
  secrets: () => forgeSecrets(),
  signing: nodeSigning,
  invocations: () => new AsyncLocalStorage<Invocation>(),
};

/**
 * Creates the realtime API of an app's functions. It reads its settings and compiles the core at the first call, so it can
 * be created while a module loads.
 *
 * @param options - `authorize` decides about sessions. All other options have defaults, mostly from the app's variables.
 * @typeParam M - The app's channel map, which types the payloads of each channel. Without it, each call states its type.
 * @returns The API.
 * @throws SealwireError with the code `INVALID_ARGUMENT` for a wrong option.
 *
 * @example
 * ```ts
 * const realtime = createRealtime({ authorize: verifyDashboard });
 * resolver.define('sealwire:session', realtime.session);
 * export const handler = realtime.wrap(resolver.getDefinitions());
 * ```
 */
export function createRealtime<M extends ChannelMap<M> = any>(options: RealtimeOptions): Realtime<M> {
  return realtimeWith(options, forge);
}

/** Returns the API without `authorize`, for the functions that replace those of @forge/realtime. */
export function realtimeWithoutSessions(): Realtime {
  return realtimeFrom({}, forge);
}

/**
 * Wraps the handler of a Forge function, so that calls made during an invocation know its context.
 *
 * @param handler - `resolver.getDefinitions()`, or the function of a consumer, trigger or web trigger.
 * @returns The function to export as the handler.
 * @throws SealwireError with the code `INVALID_ARGUMENT` if the handler is not a function.
 *
 * @example
 * ```ts
 * export const handler = wrap(resolver.getDefinitions());
 * ```
 */
export const wrap: Wrap = /* @__PURE__ */ wrapper(forge.invocations);
