// Reads what the Forge runtime says of an invocation. The platform sets this global for each invocation, and a call cannot
// change it. @forge/api and @forge/realtime read the same object.

import { MODULE_TYPES } from '../context/module-types.js';
import { fieldOf, type ForgeContext } from '../context/properties.js';
import { signedContext, type SignedContext } from './context-token.js';

export interface Platform {
  installationId: string | undefined;
  environmentId: string | undefined;
  contextAri: string | undefined;
  moduleKey: string | undefined;
  /** Only where it is the type of a page that this version knows: the platform has other names for other functions. */
  moduleType: string | undefined;
  accountId: string | undefined;
  /** The context that Atlassian signed for the page which called, where there is one. */
  signed: SignedContext | undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Undefined outside of Forge. */
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

/** The time that the function has left, in milliseconds; undefined outside of Forge, and where its runtime does not say. */
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

/** The first item in which the call contradicts the platform; undefined where it contradicts nothing. */
export function differenceFrom(platform: Platform, context: ForgeContext): string | undefined {
  const { signed } = platform;
  const pairs: [what: string, platform: string | undefined, call: unknown][] = [
    ['module', platform.moduleKey, context.moduleKey],
    ['module', signed?.moduleKey, context.moduleKey],
    ['environment', platform.environmentId, context.environmentId],
    ["module's type", platform.moduleType, fieldOf(context.extension, 'type')],
    ["module's type", text(fieldOf(signed?.extension, 'type')), fieldOf(context.extension, 'type')],
    // The token is that of another call where it names another installation or user than the runtime does.
    ['installation', platform.installationId, signed?.installationId],
    ['account', platform.accountId, signed?.accountId],
  ];
  const differs = pairs.find(
    ([, expected, found]) => expected !== undefined && found !== undefined && found !== expected,
  );
  return differs?.[0];
}
