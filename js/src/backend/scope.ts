// Determines the scope that a resolver publishes to. A property that only the call claims is not part of it, since a caller
// could claim any value.

import { checkProperties } from '../arguments/properties.js';
import { checkOverrides } from '../arguments/overrides.js';
import { invalid } from '../arguments/invalid.js';
import type { ForgeContext } from '../context/properties.js';
import { SealwireError } from '../errors/sealwire-error.js';
import {
  grantedBy,
  listed,
  noDefaultIn,
  unverifiedHint,
  type Evidence,
  type Properties,
} from './evidence.js';
import type { Inquiry } from './inquiry.js';

export interface ScopeOptions {
  scope?: unknown;
  contextOverrides?: unknown;
}

/** Returns the scope that the app states itself; undefined if it states none. */
export function statedScope({ scope, contextOverrides }: ScopeOptions): Properties | undefined {
  if (scope === undefined) return undefined;
  if (contextOverrides !== undefined) {
    throw invalid(
      'The options scope and contextOverrides exclude each other: scope names properties and values.',
    );
  }
  const properties = checkProperties('The option scope', scope);
  if (properties.size > 0) return properties;
  // An empty scope by mistake would publish to the whole installation.
  throw invalid('The option scope is empty. Use publishGlobal() for the channel of the whole installation.');
}

/** Returns the verified scope for the options of a call. */
export async function publishScope(
  inquiry: Inquiry,
  context: ForgeContext,
  options: ScopeOptions,
): Promise<Properties> {
  const stated = statedScope(options);
  if (stated) return stated;
  const names = checkOverrides(options.contextOverrides);
  if (names?.length === 0) return new Map();
  const evidence = await inquiry.evidence(context);
  return names ? overridden(inquiry, context, evidence, names) : defaultScope(inquiry, context, evidence);
}

/** Returns the named properties. authorize() is called only if the platform does not vouch for all of them. */
async function overridden(
  inquiry: Inquiry,
  context: ForgeContext,
  evidence: Evidence,
  names: string[],
): Promise<Properties> {
  const absent = names.find((name) => !evidence.all.has(name));
  if (absent !== undefined) {
    throw refused(`The context has no property '${absent}'. Its properties: ${listed(evidence.all)}.`);
  }
  const isVouched = names.every((name) => evidence.vouched.has(name));
  const granted = isVouched ? evidence.vouched : await verifiedBy(inquiry, context, evidence);
  return new Map(
    names.map((name) => {
      const value = granted.get(name);
      if (value !== undefined) return [name, value];
      throw refused(`Nobody vouches for the property '${name}'. ${unverifiedHint(granted, evidence.all)}`);
    }),
  );
}

/** Returns all properties that a session would have, so that page and resolver agree. This requires authorize(). */
async function defaultScope(
  inquiry: Inquiry,
  context: ForgeContext,
  evidence: Evidence,
): Promise<Properties> {
  if (!evidence.all.has('module')) {
    throw refused(
      'This invocation has no module, so there is no default channel: it did not come from a page of the product. ' +
        'Use publishGlobal(), the option scope, or contextOverrides with the properties that the context has.',
    );
  }
  // A user who may have no session may still cause a message, to the scope that the platform vouches for.
  const granted = await verifiedBy(inquiry, context, evidence).catch((thrown: unknown) => {
    if (thrown instanceof SealwireError && thrown.code === 'PERMISSION_MISSING') return evidence.vouched;
    throw thrown;
  });
  const reason = noDefaultIn(granted, evidence);
  if (reason !== undefined) throw refused(reason);
  return granted;
}

async function verifiedBy(inquiry: Inquiry, context: ForgeContext, evidence: Evidence): Promise<Properties> {
  const decision = await inquiry.decision(context);
  return decision ? grantedBy(decision, evidence) : evidence.vouched;
}

function refused(message: string): SealwireError {
  return new SealwireError('SCOPE_REFUSED', message);
}
