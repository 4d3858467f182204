// Checks `contextOverrides`: the properties of the context that a channel's scope keeps.

import { invalid, kindOf } from './invalid.js';
import { isPropertyName } from './property-name.js';

const EXAMPLE = 'Please provide an array of context properties, such as [Jira.Project].';

/** Returns the names without repetition; undefined for the default scope. */
export function checkOverrides(overrides: unknown): string[] | undefined {
  if (overrides === undefined) return undefined;
  if (!Array.isArray(overrides)) {
    throw invalid(`Invalid value for contextOverrides: ${kindOf(overrides)}. ${EXAMPLE}`);
  }
  for (const name of overrides as unknown[]) {
    if (isPropertyName(name)) continue;
    if (typeof name === 'object' && name !== null) {
      throw invalid(`contextOverrides holds ${kindOf(name)}: a whole enum is not a property. ${EXAMPLE}`);
    }
    throw invalid(
      `contextOverrides holds ${JSON.stringify(name) ?? kindOf(name)}, which is not a property. ${EXAMPLE}`,
    );
  }
  return [...new Set(overrides as string[])];
}

/** Refuses overrides for an installation-wide channel, whose scope keeps nothing of the context. */
export function refuseOverridesForGlobal(overrides: unknown): void {
  if (overrides === undefined || (Array.isArray(overrides) && overrides.length === 0)) return;
  throw invalid(
    'contextOverrides has no meaning for a global channel. Use subscribe() and publish() to narrow a scope.',
  );
}
