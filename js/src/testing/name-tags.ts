// The tags of names at the test relay. They follow the limits of real tags, but everybody can read them.

import { byteLength } from '../arguments/names.js';
import type { TaggedName } from '../core/resolver-core.js';
import { fromBase64Url, toBase64Url } from './bytes.js';
import { refused } from './refused.js';

const PREFIX = '~t1.';
const MAX_NAME_BYTES = 159;

/** The content of a tag. */
type Content = [installation: string, kind: TaggedName['kind'], property: string, name: string];

/** Returns the tag of a name. `property` is that of a value. */
export function tagOf(installation: string, kind: TaggedName['kind'], name: string, property = ''): string {
  const bytes = byteLength(name);
  const isLong = bytes > MAX_NAME_BYTES;
  if (isLong || name.startsWith(PREFIX)) {
    const [code, what] =
      kind === 'value'
        ? (['SCOPE_REFUSED', `value of the property ${property}`] as const)
        : (['NAME_INVALID', `name of the ${kind}`] as const);
    const reason = isLong
      ? `has ${bytes} bytes; the limit with blindNames is ${MAX_NAME_BYTES}`
      : `begins like a tag, with ${PREFIX}; pass the name itself`;
    throw refused(code, `the ${what} ${reason}`);
  }
  const content: Content = [installation, kind, property, name];
  return PREFIX + toBase64Url(content);
}

/** Returns the tag of an event name. The default event, whose name is empty, has none. */
export function eventTagOf(installation: string, name: string): string {
  return name === '' ? '' : tagOf(installation, 'event', name);
}

/** Returns properties with the tags of their values. */
export function tagValues(installation: string, context: Record<string, string>): Record<string, string> {
  const tagged = Object.entries(context).map(([name, value]) => [
    name,
    tagOf(installation, 'value', value, name),
  ]);
  return Object.fromEntries(tagged) as Record<string, string>;
}

function contentOf(tag: string): Content | undefined {
  if (!tag.startsWith(PREFIX)) return undefined;
  try {
    return fromBase64Url(tag.slice(PREFIX.length)) as Content;
  } catch {
    return undefined;
  }
}

/** Reads the tag of an installation. */
export function nameIn(tag: string, installation: string): TaggedName {
  const [of, kind, , name] = contentOf(tag) ?? [];
  if (of === installation && kind !== undefined && name !== undefined) return { kind, name };
  throw refused('INVALID_ARGUMENT', 'the tag is not one of this installation');
}

/** Returns the name behind a text that the relay sees, which may be the name itself. */
export function readable(seen: string): string {
  return contentOf(seen)?.[3] ?? seen;
}
