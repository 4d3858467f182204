// The scope that a resolver publishes to. It holds no property that only the call claims: a caller could name any place.

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

/** A scope that the app states itself. */
export function statedScope({ scope, contextOverrides }: ScopeOptions): Properties | undefined {
  if (scope === undefined) return undefined;
  if (contextOverrides !== undefined) {
    throw invalid(
      'The options scope and contextOverrides exclude each other: scope names properties and values.',
    );
  }
  const properties = checkProperties('The option scope', scope);
  if (properties.size > 0) return properties;
  // An empty scope that comes from a mistake would tell the whole installation what was meant for one place.
  throw invalid('The option scope is empty. Use publishGlobal() for the channel of the whole installation.');
}

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

/** The platform's word is enough; authorize() is asked about what the platform does not vouch for. */
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

/** As in a session: the whole of what is granted. So authorize() is asked, or page and resolver would disagree. */
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
  // A user without a session of their own may still cause a message, where the platform vouches for the place.
  const granted = await verifiedBy(inquiry, context, evidence).catch((thrown: unknown) => {
    if (thrown instanceof SealwireError && thrown.code === 'PERMISSION_MISSING') return evidence.vouched;
    throw thrown;
  });
  const why = noDefaultIn(granted, evidence);
  if (why !== undefined) throw refused(why);
  return granted;
}

async function verifiedBy(inquiry: Inquiry, context: ForgeContext, evidence: Evidence): Promise<Properties> {
  const decision = await inquiry.decision(context);
  return decision ? grantedBy(decision, evidence) : evidence.vouched;
}

function refused(message: string): SealwireError {
  return new SealwireError('SCOPE_REFUSED', message);
}
