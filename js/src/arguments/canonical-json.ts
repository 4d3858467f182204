// The canonical form of JSON (RFC 8785), in which equal values have equal texts. It is the JSON of JavaScript without spaces and
// with the names of each object in the order of their UTF-16 code units.

import { invalid } from './invalid.js';

/** The most objects and arrays within one another. */
const MAX_DEPTH = 127;

/** Returns the canonical form of a value that JSON.parse() returned, which consists of well-formed text. */
export function canonicalJson(value: unknown, depth = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth === MAX_DEPTH)
    throw invalid(`The claims are nested too deeply: the limit is ${MAX_DEPTH} levels.`);
  const inner = (member: unknown) => canonicalJson(member, depth + 1);
  if (Array.isArray(value)) return `[${value.map(inner).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${inner(member)}`).join(',')}}`;
}
