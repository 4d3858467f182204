// What the app's `authorize` decided, as the permissions of a session.

import { invalid, kindOf } from '../arguments/invalid.js';
import type { ForgeContext } from '../context/properties.js';
import type { Permission } from '../core/resolver-core.js';
import { failureOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { Authorize } from './types.js';

/** Asks the app. Whatever goes wrong there grants nothing. */
export async function authorized(authorize: Authorize, context: ForgeContext): Promise<Permission[]> {
  let decision: unknown;
  try {
    decision = await authorize(context);
  } catch (cause) {
    throw failureOf('authorize() failed', cause);
  }
  return permissionsOf(decision);
}

/** Anything but a clear yes is a no, and anything that is neither is a mistake worth hearing of. */
export function permissionsOf(decision: unknown): Permission[] {
  if (decision === true) return ['subscribe', 'publish'];
  if (decision === false) throw refused();
  if (typeof decision !== 'object' || decision === null || Array.isArray(decision)) {
    throw invalid(`authorize() must return true, false or { subscribe, publish }, not ${kindOf(decision)}.`);
  }
  const granted = decision as Record<string, unknown>;
  for (const [name, value] of Object.entries(granted)) {
    const known = name === 'subscribe' || name === 'publish';
    if (!known || (value !== undefined && typeof value !== 'boolean')) {
      throw invalid('authorize() must return true, false or { subscribe, publish } of true and false.');
    }
  }
  const can = (['subscribe', 'publish'] as const).filter((permission) => granted[permission] === true);
  if (can.length === 0) throw refused();
  return can;
}

function refused(): SealwireError {
  return new SealwireError(
    'PERMISSION_MISSING',
    'The app does not permit realtime here: authorize() refused the session.',
  );
}
