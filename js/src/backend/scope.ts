// The scope that a resolver publishes to, from the invocation's context.

import { checkOverrides } from '../arguments/overrides.js';
import { contextProperties, type ForgeContext } from '../context/properties.js';
import { SealwireError } from '../errors/sealwire-error.js';

/** The whole context, or the properties that `contextOverrides` keeps of it. */
export function publishScope(context: ForgeContext, overrides: unknown): Record<string, string> {
  const properties = contextProperties(context);
  const kept = checkOverrides(overrides);
  if (kept === undefined) {
    if (properties['module'] !== undefined) return properties;
    // Falling back to the empty scope would tell the whole installation what was meant for one place.
    const message =
      'This invocation has no module, so there is no default channel: it did not come from a page of the product. ' +
      'Use publishGlobal(), or contextOverrides with the properties that the context has.';
    throw new SealwireError('SCOPE_REFUSED', message);
  }
  const scope: Record<string, string> = {};
  for (const name of kept) {
    const value = properties[name];
    if (value === undefined) {
      const has = Object.keys(properties).join(', ') || 'none';
      throw new SealwireError(
        'SCOPE_REFUSED',
        `The context has no property '${name}'. Its properties: ${has}.`,
      );
    }
    scope[name] = value;
  }
  return scope;
}
