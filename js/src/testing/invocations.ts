// The storage that carries an invocation to the calls made during it: AsyncLocalStorage in Node, an approximation elsewhere.

import type { Invocation, InvocationStorage } from '../backend/invocation.js';

/**
 * The storage for browsers, which have no AsyncLocalStorage: the current invocation is the latest one that has not ended. It
 * serves tests that await each invocation before the next one.
 */
class LatestInvocation implements InvocationStorage {
  #latest: Invocation | undefined;

  run<R>(invocation: Invocation, work: () => R): R {
    const before = this.#latest;
    this.#latest = invocation;
    const end = () => {
      if (this.#latest === invocation) this.#latest = before;
    };
    let result: R;
    try {
      result = work();
    } catch (thrown) {
      end();
      throw thrown;
    }
    if (result instanceof Promise) result.then(end, end);
    else end();
    return result;
  }

  getStore(): Invocation | undefined {
    return this.#latest;
  }
}

interface NodeProcess {
  getBuiltinModule?: (name: 'node:async_hooks') => typeof import('node:async_hooks') | undefined;
}

/** Requests Node's module at run time, since bundlers for browsers could not resolve an import of it. */
export function testInvocations(): InvocationStorage {
  const { process } = globalThis as { process?: NodeProcess };
  const hooks = process?.getBuiltinModule?.('node:async_hooks');
  return hooks ? new hooks.AsyncLocalStorage<Invocation>() : new LatestInvocation();
}
