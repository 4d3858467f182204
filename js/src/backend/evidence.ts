// The properties of an invocation's context, and the party that vouches for each. Properties that only the call names are
// claims. The platform vouches for the properties that it signed; the app vouches for those that it states in `properties`
// and for those that authorize() verified.

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
  /** Every property that the context has or the app states, vouched for or not. */
  all: Properties;
  /** The properties that the platform or the app vouches for. */
  vouched: Properties;
  /** True where the app states properties of its own for this context. */
  stated: boolean;
  /** The module's type, where somebody vouches for it. */
  type: string | undefined;
  extension: unknown;
}

function refusedDifference(what: string): SealwireError {
  return new SealwireError(
    'SCOPE_REFUSED',
    `The context of the call names another ${what} than the platform does for this invocation. To publish for another ` +
      'place, state it with the option scope.',
  );
}

/** The properties of the module's page that the platform signed, and which the call must not contradict. */
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
  platforms: Properties,
): Promise<Properties> {
  if (!backend.properties) return new Map();
  let given: unknown;
  try {
    given = await backend.properties(context);
  } catch (cause) {
    throw failureOf('The option properties failed', cause);
  }
  // A place without a value is a place without the property.
  const defined = Object.entries(typeof given === 'object' && given !== null ? given : {}).filter(
    ([, value]) => value !== undefined,
  );
  const isList = Array.isArray(given) || typeof given !== 'object' || given === null;
  const stated = checkProperties(
    'What the option properties returns',
    isList ? given : Object.fromEntries(defined),
  );
  for (const [name, value] of stated) {
    const platform = platforms.get(name);
    if (platform === undefined || platform === value) continue;
    throw invalid(
      `The option properties returned another value for '${name}' than the context has. Choose another name, or ` +
        'leave the property to the platform.',
    );
  }
  return stated;
}

/**
 * True for a context without a type of which every field is a known property. An app that makes such a context states what
 * its page shows. Under a type, or with a field that is not known, the scope could come out wider than the page.
 */
function statesPage({ extension }: ForgeContext): boolean {
  if (extension === undefined) return true;
  if (typeof extension !== 'object' || extension === null) return false;
  const known = extensionProperties(extension);
  return Object.keys(extension).every((field) => known.has(field));
}

export async function gatherEvidence(backend: Backend, context: ForgeContext): Promise<Evidence> {
  const platform = forgePlatform();
  const difference = platform && differenceFrom(platform, context);
  if (difference !== undefined) throw refusedDifference(difference);

  const claimed = contextProperties(context);
  const signed = signedProperties(platform, claimed);
  const platforms = new Map([...claimed, ...signed]);
  const trusted = backend.trustsContext();
  const vouched = new Map(trusted ? platforms : signed);
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
    platforms.set('account', account);
    // A context given by hand may name any account.
    if (platform ? platform.accountId === account : trusted) vouched.set('account', account);
  }

  const stated = await statedProperties(backend, context, platforms);
  return {
    all: new Map([...platforms, ...stated]),
    vouched: new Map([...vouched, ...stated]),
    stated: stated.size > 0 || (trusted && backend.isOwnServer() && statesPage(context)),
    type: knownType,
    extension: extension ?? context.extension,
  };
}

/** The properties that a decision of authorize() grants. */
export function grantedBy({ properties: names }: Decision, { all, vouched }: Evidence): Properties {
  const granted = names === undefined ? vouched : new Map(names.map((name) => [name, verified(all, name)]));
  if (granted.size <= MAX_PROPERTIES) return granted;
  throw new SealwireError(
    'SCOPE_REFUSED',
    `The context has ${granted.size} properties; a session has at most ${MAX_PROPERTIES}. Let authorize() return ` +
      '{ properties } with those that matter.',
  );
}

function verified(all: Properties, name: string): string {
  const value = all.get(name);
  if (value !== undefined) return value;
  throw invalid(
    `authorize() returned the property '${name}', which the context does not have. Its properties: ${listed(all)}.`,
  );
}

export function listed(properties: Properties): string {
  return [...properties.keys()].join(', ') || 'none';
}

/** Why these properties are no default scope; undefined where they are. */
export function noDefaultIn(
  granted: Properties,
  { type, extension, stated, all }: Evidence,
): string | undefined {
  const why = noDefaultScope({ type, extension, properties: granted, stated });
  const hint = why && unverifiedHint(granted, all);
  return hint ? `${why} ${hint}` : why;
}

/** The advice for properties that the context has and that nobody vouches for. */
export function unverifiedHint(granted: Properties, all: Properties): string | undefined {
  const names = [...all.keys()].filter((name) => !granted.has(name));
  if (names.length === 0) return undefined;
  return (
    `The context of the call also has ${names.join(', ')}, but neither has the platform signed that nor has ` +
    "authorize() verified it: let authorize() check the user's access and return { properties }."
  );
}
