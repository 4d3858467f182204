// The resolver's API.

import { invalid } from '../arguments/invalid.js';
import { checkOptions } from '../arguments/options.js';
import { createStream, publishStream } from '../stream/publish.js';
import { backendFrom, type BackendOptions, type Surroundings } from './backend.js';
import { disconnect } from './disconnect.js';
import { currentInvocation, wrapper } from './invocation.js';
import { publish, scopeHere } from './publish.js';
import { rotateKey } from './rotate-key.js';
import { session } from './session.js';
import { signToken } from './sign-token.js';
import type { Realtime, RealtimeOptions } from './types.js';

/** Reads its settings at the first call, so that it can be made while the module is loaded. */
export function realtimeWith(given: RealtimeOptions, surroundings: Surroundings): Realtime {
  const options = checkOptions(given) as Partial<RealtimeOptions>;
  if (options.authorize === undefined) {
    throw invalid(
      'createRealtime() needs authorize: a function that says whether a context may have a session.',
    );
  }
  return realtimeFrom(options, surroundings);
}

/** Without `authorize`, it publishes where the platform vouches for the place, and grants no session. */
export function realtimeFrom(options: BackendOptions, surroundings: Surroundings): Realtime {
  const own = backendFrom(options, surroundings);
  const backend = () => currentInvocation()?.stage?.(own) ?? own;
  return {
    publish: (channel, payload, options) => publish(backend(), false, channel, payload, options),
    publishGlobal: (channel, payload, options) => publish(backend(), true, channel, payload, options),
    createStream: (channel, options) => createStream(backend(), channel, options),
    publishStream: (channel, source, options) => publishStream(backend(), channel, source, options),
    signRealtimeToken: (channel, claims, permissions, options) =>
      signToken(backend(), channel, claims, permissions, options),
    session: (request) => session(backend(), request),
    scope: (options) => scopeHere(backend(), options),
    disconnect: (whose, options) => disconnect(backend(), whose, options),
    wrap: wrapper(surroundings.invocations),
    rotateKey: (options) => rotateKey(backend(), options),
  };
}
