// Carries a Forge invocation's context to the calls made during it, without passing it along by hand.

import { invalid, kindOf } from '../arguments/invalid.js';
import { fieldOf, type ForgeContext } from '../context/properties.js';
import { processWide } from '../process-wide.js';
import type { Backend } from './backend.js';
import { forgePlatform } from './platform.js';
import type { Wrap } from './types.js';

export interface Invocation {
  context?: ForgeContext;
  /** For tests: what the functions called during the invocation work with in place of their own. */
  stage?: (backend: Backend) => Backend;
}

/** The part of AsyncLocalStorage that is used. */
export interface InvocationStorage {
  run<R>(invocation: Invocation, work: () => R): R;
  getStore(): Invocation | undefined;
}

/** One for the process: a handler may be wrapped by one load of the package and publish through another. */
const kept = /* @__PURE__ */ processWide<{ storage?: InvocationStorage }>('invocations', () => ({}));

/** Runs `work` as a part of the invocation. */
export function within<R>(makeStorage: () => InvocationStorage, invocation: Invocation, work: () => R): R {
  return (kept.storage ??= makeStorage()).run(invocation, work);
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

/**
 * The context among a Forge function's arguments. A resolver's handler gets `({ call, context }, runtime)` and merges
 * the two as @forge/resolver does; a consumer, trigger or web trigger gets `(event, context)`.
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

/** Makes wrap(): its handlers remember their context for everything that they call, however deep and asynchronous. */
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
    const stage = currentInvocation()?.stage;
    return within(makeStorage, { context, ...(stage && { stage }) }, run);
  } as H;
}

/** Undefined outside of a wrapped function. */
export function currentInvocation(): Invocation | undefined {
  return kept.storage?.getStore();
}

/** The context given by hand, or else that of the invocation under way. */
export function currentContext(given?: unknown): ForgeContext {
  if (given !== undefined) {
    if (record(given)) return given as ForgeContext;
    throw invalid(`The option context must be an object, not ${kindOf(given)}.`);
  }
  const context = currentInvocation()?.context;
  if (context) return context;
  // In Forge, the runtime says at least which installation this is.
  if (forgePlatform()) return {};
  throw invalid(
    'The invocation is unknown here. Export wrap(resolver.getDefinitions()) as the handler, or pass the option context.',
  );
}
