// Calls an app's own functions as the Forge platform calls them, with the test relay in place of the app's relay and
// storage.

import { invalid, kindOf } from '../arguments/invalid.js';
import type { Backend } from '../backend/backend.js';
import { within } from '../backend/invocation.js';
import type { ForgeContext } from '../context/properties.js';
import { testInvocations } from './invocations.js';
import type { ResolverHandler } from './types.js';

export type Stage = (backend: Backend) => Backend;

/** The fields that the platform gives to a function beside the context that the page names. */
function runtimeOf({ installContext, accountId, license, installation }: ForgeContext): object {
  return { installContext, principal: { accountId }, license, installation };
}

/** A value as it comes out of the platform, which carries JSON. */
function carried(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
}

/** Runs code of the app on the stage; with a context, as a part of an invocation from its page. */
export function runOn<R>(stage: Stage, context: ForgeContext | undefined, work: () => R): R {
  return within(testInvocations, { stage, ...(context && { context }) }, work);
}

/** Calls one function of the app's resolver. Rejects with what it throws. */
export async function invokeOn(
  stage: Stage,
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
  const call = { functionKey, ...(payload !== undefined && { payload: carried(payload) }) };
  const request = { call, context: carried(ofPage) };
  // The handler learns of the context by its arguments alone, as on the platform: wrap() remembers it.
  return carried(await runOn(stage, undefined, () => handler(request, runtimeOf(context))));
}
