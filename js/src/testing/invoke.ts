// Calls an app's own functions as the Forge platform calls them, with a replaced backend.

import { invalid, kindOf } from '../arguments/invalid.js';
import type { Backend } from '../backend/backend.js';
import { runWithin } from '../backend/invocation.js';
import type { ForgeContext } from '../context/properties.js';
import { testInvocations } from './invocations.js';
import type { ResolverHandler } from './types.js';

/** Returns the backend that the app's functions use in place of their own. */
export type ReplaceBackend = (own: Backend) => Backend;

/** Returns the fields that the platform passes to a function in addition to the page's context. */
function runtimeOf({ installContext, accountId, license, installation }: ForgeContext): object {
  return { installContext, principal: { accountId }, license, installation };
}

/** Returns a value as it arrives through the platform, which carries JSON. */
function throughJson(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
}

/** Runs code of the app with a replaced backend; with a context, as part of an invocation. */
export function runWith<R>(
  replaceBackend: ReplaceBackend,
  context: ForgeContext | undefined,
  work: () => R,
): R {
  return runWithin(testInvocations, { replaceBackend, ...(context && { context }) }, work);
}

/** Calls one function of the app's resolver. Rejects with the exception of the function. */
export async function invokeWith(
  replaceBackend: ReplaceBackend,
  handler: ResolverHandler,
  functionKey: string,
  payload: unknown,
  context: ForgeContext,
): Promise<unknown> {
  if (typeof handler !== 'function') {
    throw invalid(`The handler must be a function that a module exports, not ${kindOf(handler)}.`);
  }
  if (typeof functionKey !== 'string' || functionKey === '') {
    throw invalid(`The function's name must be a text, as in resolver.define(), not ${kindOf(functionKey)}.`);
  }
  const { installContext: _, accountId: __, license: ___, installation: ____, ...ofPage } = context;
  const call = { functionKey, ...(payload !== undefined && { payload: throughJson(payload) }) };
  const request = { call, context: throughJson(ofPage) };
  // As on the platform, the handler receives the context in its arguments only, and wrap() carries it further.
  const run = () => handler(request, runtimeOf(context));
  return throughJson(await runWith(replaceBackend, undefined, run));
}
