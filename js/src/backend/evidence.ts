// Gathers the properties of an invocation's context and the evidence for each. A property that only the call names is a
// claim. The platform vouches for the properties that it signed. The app vouches for those that it states with the option
// `properties`, and for those that authorize() verified.

import { invalid } from '../arguments/invalid.js';
import { checkProperties, MAX_PROPERTIES } from '../arguments/properties.js';
import { isPersonal, noDefaultScope } from '../context/default-scope.js';
import { contextProperties, extensionProperties, fieldOf, type ForgeContext } from '../context/properties.js';
import { failureOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { identifiedAccount } from './accounts.js';
import type { Decision } from './authorization.js';
import type { Backend } from './backend.js';
import { differenceFrom, forgePlatform, type Platform } from './platform.js';

export type Properties = ReadonlyMap<string, string>;

export interface Evidence {
  /** All properties that the context has or the app states, vouched for or not. */
  all: Properties;
  /** The properties that the platform or the app vouches for. */
  vouched: Properties;
  /** True if the app itself states the content of this context's page. */
  stated: boolean;
  /** The module's type; undefined if nobody vouches for it. */
  type: string | undefined;
  extension: unknown;
}

function refusedDifference(what: string): SealwireError {
  return new SealwireError(
    'SCOPE_REFUSED',
    `The context of the call names another ${what} than the platform does for this invocation. To publish to another ` +
      'scope, state it with the option scope.',
  );
}

/** Returns the properties that the platform signed. Throws if the call contradicts them. */
function signedProperties(platform: Platform | undefined, claimed: Properties): Properties {
  if (!platform?.signed) return new Map();
  const signed = extensionProperties(platform.signed.extension);
  for (const [name, value] of signed) {
    const claim = claimed.get(name);
    if (claim !== undefined && claim !== value) throw refusedDifference(name);
  }
  return signed;
}

async function statedProperties(
  backend: Backend,
  context: ForgeContext,
  ofContext: Properties,
): Promise<Properties> {
  if (!backend.properties) return new Map();
  let given: unknown;
  try {
    given = await backend.properties(context);
  } catch (cause) {
    throw failureOf('The option properties failed', cause);
  }
  // A property with the value undefined is left out.
  const defined = Object.entries(typeof given === 'object' && given !== null ? given : {}).filter(
    ([, value]) => value !== undefined,
  );
  const isList = Array.isArray(given) || typeof given !== 'object' || given === null;
  const stated = checkProperties(
    'What the option properties returns',
    isList ? given : Object.fromEntries(defined),
  );
  for (const [name, value] of stated) {
    const existing = ofContext.get(name);
    if (existing === undefined || existing === value) continue;
    throw invalid(
      `The option properties returned another value for '${name}' than the context has. Choose another name, or ` +
        'leave the property to the platform.',
    );
  }
  return stated;
}

/**
 * Returns whether a context states the content of its page: it has no type, and every field is a known property. With a type or
 * an unknown field, the scope could be wider than the page.
 */
function statesPage({ extension }: ForgeContext): boolean {
  if (extension === undefined) return true;
  if (typeof extension !== 'object' || extension === null) return false;
  const known = extensionProperties(extension);
  return Object.keys(extension).every((field) => known.has(field));
}

/** Returns the account of the user, if the platform or an app that makes the contexts itself vouches for it. */
export function vouchedAccount(backend: Backend, context: ForgeContext): string | undefined {
  const account = identifiedAccount(context);
  const platform = forgePlatform();
  const isVouched = platform ? platform.accountId === account : backend.trustsContext();
  return isVouched ? account : undefined;
}

/** Gathers the evidence for a context. Throws if the context contradicts the platform. */
export async function gatherEvidence(backend: Backend, context: ForgeContext): Promise<Evidence> {
  const platform = forgePlatform();
  const difference = platform && differenceFrom(platform, context);
  if (difference !== undefined) throw refusedDifference(difference);

  const claimed = contextProperties(context);
  const signed = signedProperties(platform, claimed);
  const all = new Map([...claimed, ...signed]);
  const trusted = backend.trustsContext();
  const vouched = new Map(trusted ? all : signed);
  const module = claimed.get('module');
  if (module !== undefined && platform?.moduleKey !== undefined) vouched.set('module', module);

  const type =
    fieldOf(platform?.signed?.extension, 'type') ??
    platform?.moduleType ??
    (trusted ? (fieldOf(context.extension, 'type') ?? backend.assumedType?.(context)) : undefined);
  const knownType = typeof type === 'string' ? type : undefined;
  const extension = trusted ? context.extension : platform?.signed?.extension;
  const account = identifiedAccount(context);
  if (account !== undefined && isPersonal(knownType, extension)) {
    all.set('account', account);
    // A context that the app passes may name any account.
    if (vouchedAccount(backend, context) !== undefined) vouched.set('account', account);
  }

  const stated = await statedProperties(backend, context, all);
  return {
    all: new Map([...all, ...stated]),
    vouched: new Map([...vouched, ...stated]),
    stated: stated.size > 0 || (trusted && backend.isOwnServer() && statesPage(context)),
    type: knownType,
    extension: extension ?? context.extension,
  };
}

/** Returns the properties that a decision of authorize() grants. */
export function grantedBy({ properties: names }: Decision, { all, vouched }: Evidence): Properties {
  const granted = names === undefined ? vouched : new Map(names.map((name) => [name, verified(all, name)]));
  if (granted.size <= MAX_PROPERTIES) return granted;
  throw new SealwireError(
    'SCOPE_REFUSED',
    `The context has ${granted.size} properties; a session has at most ${MAX_PROPERTIES}. Let authorize() return ` +
      '{ properties } with fewer names.',
  );
}

function verified(all: Properties, name: string): string {
  const value = all.get(name);
  if (value !== undefined) return value;
  throw invalid(
    `authorize() returned the property '${name}', which the context does not have. Its properties: ${listed(all)}.`,
  );
}

/** Lists the names of properties for an error. */
export function listed(properties: Properties): string {
  return [...properties.keys()].join(', ') || 'none';
}

/** Returns the reason for which these properties are not a default scope; undefined if they are one. */
export function noDefaultIn(
  granted: Properties,
  { type, extension, stated, all }: Evidence,
): string | undefined {
  const reason = noDefaultScope({ type, extension, properties: granted, stated });
  const hint = reason && unverifiedHint(granted, all);
  return hint ? `${reason} ${hint}` : reason;
}

/** Returns advice about properties of the context that nobody vouches for; undefined if there are none. */
export function unverifiedHint(granted: Properties, all: Properties): string | undefined {
  const names = [...all.keys()].filter((name) => !granted.has(name));
  if (names.length === 0) return undefined;
  return (
    `The context of the call also has ${names.join(', ')}, which neither the platform has signed nor ` +
    "authorize() has verified: let authorize() check the user's access and return { properties }."
  );
}
