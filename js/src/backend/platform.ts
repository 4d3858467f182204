// Reads the Forge runtime's own data about an invocation. The platform sets this global object per invocation, and a call
// cannot change it. @forge/api and @forge/realtime read the same object.

import { MODULE_TYPES } from '../context/module-types.js';
import { fieldOf, type ForgeContext } from '../context/properties.js';
import { signedContext, type SignedContext } from './context-token.js';

export interface Platform {
  installationId: string | undefined;
  environmentId: string | undefined;
  contextAri: string | undefined;
  moduleKey: string | undefined;
  /** The module's type, if this version knows it as the type of a page. Other functions have other names. */
  moduleType: string | undefined;
  accountId: string | undefined;
  /** The context that Atlassian signed for the calling page; undefined if no page called. */
  signed: SignedContext | undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns undefined outside of Forge. */
export function forgePlatform(): Platform | undefined {
  const runtime: unknown = (globalThis as { __forge_runtime__?: unknown }).__forge_runtime__;
  if (typeof runtime !== 'object' || runtime === null) return undefined;
  const app = (name: string) => text(fieldOf(runtime, 'appContext', name));
  const moduleType = app('moduleType');
  return {
    installationId: app('installationId'),
    environmentId: app('environmentId'),
    contextAri: text(fieldOf(runtime, 'contextAri')),
    moduleKey: app('moduleKey'),
    moduleType: moduleType !== undefined && MODULE_TYPES.has(moduleType) ? moduleType : undefined,
    accountId: text(fieldOf(runtime, 'aaid')),
    signed: signedContext(fieldOf(runtime, 'realtime', 'contextToken')),
  };
}

/** Returns the remaining time of the function in milliseconds; undefined if there is no Forge runtime that tells it. */
export function remainingMs(): number | undefined {
  const runtime: unknown = (globalThis as { __forge_runtime__?: unknown }).__forge_runtime__;
  const lambda = fieldOf(runtime, 'lambdaContext') as { getRemainingTimeInMillis?: unknown } | undefined;
  if (typeof lambda?.getRemainingTimeInMillis !== 'function') return undefined;
  try {
    const left: unknown = lambda.getRemainingTimeInMillis();
    return typeof left === 'number' && Number.isFinite(left) ? Math.max(0, left) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the first item in which the context contradicts the platform; undefined if there is none. */
export function differenceFrom(platform: Platform, context: ForgeContext): string | undefined {
  const { signed } = platform;
  const pairs: [what: string, platform: string | undefined, call: unknown][] = [
    ['module', platform.moduleKey, context.moduleKey],
    ['module', signed?.moduleKey, context.moduleKey],
    ['environment', platform.environmentId, context.environmentId],
    ["module's type", platform.moduleType, fieldOf(context.extension, 'type')],
    ["module's type", text(fieldOf(signed?.extension, 'type')), fieldOf(context.extension, 'type')],
    // A context token that names another installation or user than the runtime belongs to another call.
    ['installation', platform.installationId, signed?.installationId],
    ['account', platform.accountId, signed?.accountId],
  ];
  const differs = pairs.find(
    ([, expected, found]) => expected !== undefined && found !== undefined && found !== expected,
  );
  return differs?.[0];
}
