// Reads the decision of the app's authorize(): the permissions of a session, and the properties that the app has verified.

import { invalid, kindOf } from '../arguments/invalid.js';
import { isPropertyName } from '../arguments/property-name.js';
import type { ForgeContext } from '../context/properties.js';
import type { Permission } from '../core/resolver-core.js';
import { failureOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { Authorize } from './options.js';

export interface Decision {
  can: Permission[];
  /** The names of the properties that the app has verified; undefined if the decision names none. */
  properties?: string[];
}

const EXPECTED = 'authorize() must return true, false or { properties, subscribe, publish, presence }';

/** Calls authorize(). A failure grants nothing. */
export async function authorized(authorize: Authorize, context: ForgeContext): Promise<Decision> {
  let decision: unknown;
  try {
    decision = await authorize(context);
  } catch (cause) {
    throw failureOf('authorize() failed', cause);
  }
  return decisionOf(decision);
}

/**
 * Returns the permissions and properties of a decision. Throws a refusal for a decision that grants nothing, and an error for
 * a malformed one.
 */
export function decisionOf(decision: unknown): Decision {
  if (decision === true) return { can: ['subscribe', 'publish'] };
  if (decision === false) throw refused();
  if (typeof decision !== 'object' || decision === null || Array.isArray(decision)) {
    throw invalid(`${EXPECTED}, not ${kindOf(decision)}.`);
  }
  const { properties, presence, ...permissions } = decision as Record<string, unknown>;
  for (const [name, value] of Object.entries({ ...permissions, presence })) {
    const known = name === 'subscribe' || name === 'publish' || name === 'presence';
    if (!known || (value !== undefined && typeof value !== 'boolean')) {
      throw invalid(`${EXPECTED}: the names of properties, and true or false for each permission.`);
    }
  }
  const named = (['subscribe', 'publish'] as const).filter(
    (permission) => permissions[permission] !== undefined,
  );
  // Verified properties, or presence, without a permission for messages grant both of these.
  const can: Permission[] =
    (properties !== undefined || presence !== undefined) && named.length === 0
      ? ['subscribe', 'publish']
      : named.filter((permission) => permissions[permission] === true);
  if (presence === true) can.push('presence');
  if (can.length === 0) throw refused();
  return { can, ...(properties !== undefined && { properties: checkNames(properties) }) };
}

function checkNames(properties: unknown): string[] {
  if (Array.isArray(properties) && properties.every(isPropertyName)) return [...new Set(properties)];
  throw invalid(`${EXPECTED}; properties is an array of names, such as ['dashboard'].`);
}

function refused(): SealwireError {
  return new SealwireError(
    'PERMISSION_MISSING',
    'The app does not permit realtime here: authorize() refused the session.',
  );
}
