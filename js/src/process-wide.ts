// Holds what a process must have once, however often the package is loaded into it. Node loads different files for `import`
// and for `require`, and a bundle may hold both: each has its own modules, and all share the objects that are made here.

declare const SEALWIRE_VERSION: string | undefined;

/** Only loads of the same version share anything. The build defines the version. */
const version = typeof SEALWIRE_VERSION === 'string' ? SEALWIRE_VERSION : 'source';
const KEY = Symbol.for(`sealwire@${version}`);

/** The object of this name; the first load of the package makes it. */
export function processWide<T>(name: string, make: () => T): T {
  const holder = globalThis as { [KEY]?: Map<string, unknown> };
  const kept = (holder[KEY] ??= new Map());
  if (!kept.has(name)) kept.set(name, make());
  return kept.get(name) as T;
}
