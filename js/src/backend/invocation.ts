// Carries a Forge invocation's context to the calls made during it, without passing it along by hand.

import { AsyncLocalStorage } from 'node:async_hooks';

import { invalid, kindOf } from '../arguments/invalid.js';
import { byteLength } from '../arguments/names.js';
import type { ForgeContext } from '../context/properties.js';

const MAX_INSTALLATION_BYTES = 256;

const invocations = new AsyncLocalStorage<ForgeContext>();

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
  const context = record(first?.['context']);
  if (first && 'call' in first && context) {
    const accountId = record(second?.['principal'])?.['accountId'];
    return {
      ...context,
      installContext: second?.['installContext'] as string | undefined,
      accountId: accountId as string | undefined,
    };
  }
  return typeof second?.['installContext'] === 'string' ? (second as ForgeContext) : undefined;
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
    return context ? invocations.run(context, run) : run();
  };
  return wrapped as H;
}

/** The context given by hand, or else that of the invocation under way. */
export function currentContext(given?: ForgeContext): ForgeContext {
  const context = given ?? invocations.getStore();
  if (record(context)) return context as ForgeContext;
  if (given !== undefined) throw invalid(`The option context must be an object, not ${kindOf(given)}.`);
  throw invalid(
    'The invocation is unknown here. Export wrap(resolver.getDefinitions()) as the handler, or pass the option context.',
  );
}

/** Which installation an invocation belongs to. */
export function installationOf(context: ForgeContext): string {
  const installation = context.installContext;
  if (typeof installation === 'string' && installation !== '') {
    if (byteLength(installation) <= MAX_INSTALLATION_BYTES) return installation;
    throw invalid(`The context's installContext is longer than ${MAX_INSTALLATION_BYTES} bytes.`);
  }
  throw invalid(
    'The context has no installContext, so the installation is unknown. Pass the context that Forge gave.',
  );
}
