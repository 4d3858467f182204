// Carries a Forge invocation's context to the calls made during it, without passing it along by hand.

import { AsyncLocalStorage } from 'node:async_hooks';

import { invalid, kindOf } from '../arguments/invalid.js';
import { fieldOf, type ForgeContext } from '../context/properties.js';
import { forgePlatform } from './platform.js';

export interface Invocation {
  context: ForgeContext;
}

const invocations = new AsyncLocalStorage<Invocation>();

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

/** The handler with its context remembered for everything that it calls, however deep and however asynchronous. */
export function wrap<H extends (...args: any[]) => unknown>(handler: H): H {
  if (typeof handler !== 'function') {
    throw invalid(
      `wrap() takes resolver.getDefinitions() or another Forge function, not ${kindOf(handler)}.`,
    );
  }
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    const run = () => handler.apply(this, args);
    const context = contextOfArguments(args);
    return context ? invocations.run({ context }, run) : run();
  };
  return wrapped as H;
}

/** Undefined outside of a wrapped function. */
export function currentInvocation(): Invocation | undefined {
  return invocations.getStore();
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
