// Carries the context of a Forge invocation to the calls made during it, so that no argument has to.

import { invalid, kindOf } from '../arguments/invalid.js';
import { fieldOf, type ForgeContext } from '../context/properties.js';
import { processWide } from '../process-wide.js';
import type { Backend } from './backend.js';
import { forgePlatform } from './platform.js';
import type { Wrap } from './types.js';

export interface Invocation {
  context?: ForgeContext;
  /** For tests: returns the backend that the calls made during the invocation use in place of their own. */
  replaceBackend?: (backend: Backend) => Backend;
}

/** The part of AsyncLocalStorage that this package uses. */
export interface InvocationStorage {
  run<R>(invocation: Invocation, work: () => R): R;
  getStore(): Invocation | undefined;
}

/** The storage of the process: one load of the package may wrap a handler that publishes through another. */
const shared = /* @__PURE__ */ processWide<{ storage?: InvocationStorage }>('invocations', () => ({}));

/** Runs `work` as a part of the invocation. */
export function runWithin<R>(makeStorage: () => InvocationStorage, invocation: Invocation, work: () => R): R {
  return (shared.storage ??= makeStorage()).run(invocation, work);
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

/**
 * Returns the context in the arguments of a Forge function. A resolver's handler receives `({ call, context }, runtime)`,
 * which are merged as @forge/resolver does; a consumer, trigger or web trigger receives `(event, context)`.
 */
export function contextOfArguments(args: readonly unknown[]): ForgeContext | undefined {
  const first = record(args[0]);
  const second = record(args[1]);
  const context = record(fieldOf(first, 'context'));
  if (first && Object.hasOwn(first, 'call') && context) {
    return {
      ...context,
      installContext: fieldOf(second, 'installContext') as string | undefined,
      accountId: fieldOf(second, 'principal', 'accountId') as string | undefined,
      license: fieldOf(second, 'license'),
      installation: fieldOf(second, 'installation'),
    };
  }
  return typeof fieldOf(second, 'installContext') === 'string' ? (second as ForgeContext) : undefined;
}

/** Creates wrap(), whose handlers carry their context through all synchronous and asynchronous calls. */
export function wrapper(makeStorage: () => InvocationStorage): Wrap {
  return (handler) => wrapped(makeStorage, handler);
}

function wrapped<H extends (...args: any[]) => unknown>(makeStorage: () => InvocationStorage, handler: H): H {
  if (typeof handler !== 'function') {
    throw invalid(
      `wrap() takes resolver.getDefinitions() or another Forge function, not ${kindOf(handler)}.`,
    );
  }
  return function (this: unknown, ...args: unknown[]): unknown {
    const run = () => handler.apply(this, args);
    const context = contextOfArguments(args);
    if (!context) return run();
    const replaceBackend = currentInvocation()?.replaceBackend;
    return runWithin(makeStorage, { context, ...(replaceBackend && { replaceBackend }) }, run);
  } as H;
}

/** Returns undefined outside a wrapped function. */
export function currentInvocation(): Invocation | undefined {
  return shared.storage?.getStore();
}

/** Returns the given context, or else the one of the current invocation. */
export function currentContext(given?: unknown): ForgeContext {
  if (given !== undefined) {
    if (record(given)) return given as ForgeContext;
    throw invalid(`The option context must be an object, not ${kindOf(given)}.`);
  }
  const context = currentInvocation()?.context;
  if (context) return context;
  // In Forge, the runtime at least names the installation.
  if (forgePlatform()) return {};
  throw invalid(
    'The invocation is unknown here. Export wrap(resolver.getDefinitions()) as the handler, or pass the option context.',
  );
}
