// The resolver's API, independent of the Forge runtime.

import { invalid } from '../arguments/invalid.js';
import { checkOptions } from '../arguments/options.js';
import { backendFrom, type BackendDependencies, type BackendOptions } from './backend.js';
import { disconnect } from './disconnect.js';
import { currentInvocation, wrapper, type InvocationStorage } from './invocation.js';
import type { RealtimeOptions } from './options.js';
import { nameOf } from './name-of.js';
import { createStream, publishStream } from './publish-text-stream.js';
import { currentScope, publish } from './publish.js';
import { rotateKey } from './rotate-key.js';
import { session } from './session.js';
import { signToken } from './sign-token.js';
import type { Realtime } from './types.js';

/** The dependencies of the API that differ between a Forge function and a test. */
export interface Dependencies extends BackendDependencies {
  /** Returns the storage that carries an invocation to the calls made during it. */
  invocations: () => InvocationStorage;
}

/** Returns the API for options of the app, which need an `authorize`. */
export function realtimeWith(given: RealtimeOptions, dependencies: Dependencies): Realtime {
  const options = checkOptions(given) as Partial<RealtimeOptions>;
  if (options.authorize === undefined) {
    throw invalid(
      'createRealtime() needs authorize: a function that decides whether a context may have a session.',
    );
  }
  return realtimeFrom(options, dependencies);
}

/** Without `authorize`, the API publishes to scopes that the platform vouches for, and grants no session. */
export function realtimeFrom(options: BackendOptions, dependencies: Dependencies): Realtime {
  const own = backendFrom(options, dependencies);
  const backend = () => currentInvocation()?.replaceBackend?.(own) ?? own;
  return {
    publish: (channel, payload, options) => publish(backend(), false, channel, payload, options),
    publishGlobal: (channel, payload, options) => publish(backend(), true, channel, payload, options),
    createStream: (channel, options) => createStream(backend(), channel, options),
    publishStream: (channel, source, options) => publishStream(backend(), channel, source, options),
    signRealtimeToken: (channel, claims, permissions, options) =>
      signToken(backend(), channel, claims, permissions, options),
    session: (request) => session(backend(), request),
    scope: (options) => currentScope(backend(), options),
    disconnect: (selector, options) => disconnect(backend(), selector, options),
    nameOf: (tag, options) => nameOf(backend(), tag, options),
    wrap: wrapper(dependencies.invocations),
    rotateKey: (options) => rotateKey(backend(), options),
  };
}
