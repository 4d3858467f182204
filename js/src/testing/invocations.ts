// Carries the context of an invocation to the calls made during it, in Node and, as far as that goes, in a browser.

import type { Invocation, InvocationStorage } from '../backend/invocation.js';

/**
 * For browsers, which have no AsyncLocalStorage: the invocation that began last, until it has ended. It serves a test that
 * awaits each invocation before the next one.
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

/** Asks Node for its module at run time: an import would keep bundlers from building for a browser. */
export function testInvocations(): InvocationStorage {
  const { process } = globalThis as { process?: NodeProcess };
  const hooks = process?.getBuiltinModule?.('node:async_hooks');
  return hooks ? new hooks.AsyncLocalStorage<Invocation>() : new LatestInvocation();
}
