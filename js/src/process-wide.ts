// Creates objects that exist once per process, even if the package is loaded several times. Node loads different files for
// `import` and for `require`, and a bundle may contain both: each load has its own modules, and all share these objects.

declare const SEALWIRE_VERSION: string | undefined;

/** The version of the package, which the build defines. Only loads of the same version share objects. */
const version = typeof SEALWIRE_VERSION === 'string' ? SEALWIRE_VERSION : 'source';
const KEY = Symbol.for(`sealwire@${version}`);

const holder = globalThis as { [KEY]?: Map<string, unknown> };

/** Returns the object of this name, which the first load of the package creates. */
export function processWide<T>(name: string, make: () => T): T {
  const kept = (holder[KEY] ??= new Map());
  if (!kept.has(name)) kept.set(name, make());
  return kept.get(name) as T;
}

/** Returns the object of this name; undefined if no load of the package has created it. */
export function existing<T>(name: string): T | undefined {
  return holder[KEY]?.get(name) as T | undefined;
}
