// Checks `contextOverrides`: which of the context's properties a channel's scope keeps.

import { invalid, kindOf } from './invalid.js';

const PROPERTY_NAME = /^[A-Za-z0-9_-]{1,64}$/;
const EXAMPLE = 'Please provide an array of context properties, such as [Jira.Project].';

/**
 * The names without repetition; undefined where the whole context is meant. `only` are the names that exist here at
 * all; a browser learns its own from the session, and passes none.
 */
export function checkOverrides(overrides: unknown, only?: readonly string[]): string[] | undefined {
  if (overrides === undefined) return undefined;
  if (!Array.isArray(overrides)) {
    throw invalid(`Invalid value for contextOverrides: ${kindOf(overrides)}. ${EXAMPLE}`);
  }
  for (const name of overrides as unknown[]) {
    if (typeof name === 'string' && PROPERTY_NAME.test(name) && (only === undefined || only.includes(name)))
      continue;
    if (typeof name === 'object' && name !== null) {
      throw invalid(`contextOverrides holds ${kindOf(name)}: a whole enum is not a property. ${EXAMPLE}`);
    }
    throw invalid(
      `contextOverrides holds ${JSON.stringify(name) ?? kindOf(name)}, which is no property. ${EXAMPLE}`,
    );
  }
  return [...new Set(overrides as string[])];
}

/** The functions for installation-wide channels drop the whole context, so naming a part of it is a mistake. */
export function refuseOverridesForGlobal(overrides: unknown): void {
  if (overrides === undefined || (Array.isArray(overrides) && overrides.length === 0)) return;
  throw invalid(
    'contextOverrides has no meaning for a global channel. Use subscribe() and publish() to narrow a scope.',
  );
}
