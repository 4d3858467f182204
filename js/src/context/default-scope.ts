// Decides whether a context has a default scope: the type of its module must be known, and the properties that identify the
// content of its page must be present.

import { fieldOf } from './properties.js';
import { MODULE_TYPES, type Needs } from './module-types.js';

const INSTEAD =
  'Use contextOverrides with properties that the context has, a channel token with a global channel, or ' +
  'createRealtime({ properties }) in the resolver.';

/** Returns the properties that the default scope of a page needs; undefined if the page is not known. */
function neededBy(
  needs: Needs,
  extension: unknown,
  has: (name: string) => boolean,
): readonly string[] | undefined {
  if ('all' in needs) return needs.all;
  if ('either' in needs) return needs.either.find((names) => names.every(has)) ?? needs.either[0];
  return needs.cases.get(String(fieldOf(extension, needs.field)));
}

/** A context whose default scope is in question. */
export interface DefaultScopeOf {
  /** The module's type; undefined if nobody vouches for it. */
  type: string | undefined;
  extension: unknown;
  /** The granted properties. */
  properties: ReadonlyMap<string, string>;
  /** True if the app itself states the content of the page. */
  stated: boolean;
}

/** Returns the reason for which there is no default scope; undefined if all the properties together are it. */
export function noDefaultScope({ type, extension, properties, stated }: DefaultScopeOf): string | undefined {
  if (!properties.has('module')) return lacking(type, ['module'], properties);
  const needs = type === undefined ? undefined : MODULE_TYPES.get(type);
  if (!needs) {
    if (stated) return undefined;
    const known =
      type === undefined ? 'The type of the module is not known' : `The module type ${shown(type)} has none`;
    return `There is no default channel here. ${known}. ${INSTEAD}`;
  }
  const needed = neededBy(needs, extension, (name) => properties.has(name));
  if (needed === undefined) {
    return `There is no default channel here: this page of ${shown(type)} is not known. ${INSTEAD}`;
  }
  const missing = needed.filter((name) => !properties.has(name));
  return missing.length === 0 ? undefined : lacking(type, missing, properties);
}

/** Returns whether a page shows the user's own data. Only such a page has the property `account`. */
export function isPersonal(type: string | undefined, extension: unknown): boolean {
  const needs = type === undefined ? undefined : MODULE_TYPES.get(type);
  return needs !== undefined && (neededBy(needs, extension, () => true)?.includes('account') ?? false);
}

function lacking(type: string | undefined, missing: string[], has: ReadonlyMap<string, string>): string {
  const page = type === undefined ? 'a page' : shown(type);
  const names = missing.map((name) => `'${name}'`).join(' and ');
  return (
    `There is no default channel here: that of ${page} needs the property ${names}. ` +
    `The properties here: ${[...has.keys()].join(', ') || 'none'}. ${INSTEAD}`
  );
}

/** Quotes and shortens a type, which comes from outside. */
function shown(type: string | undefined): string {
  return JSON.stringify((type ?? '').slice(0, 80));
}
