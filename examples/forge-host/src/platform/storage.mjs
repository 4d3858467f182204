// Forge storage in memory. Each installation has a space for values, one for secrets and one for each entity, as on the
// platform.

/** @typedef {{ value: unknown, createdAt: number, updatedAt: number, expiresAt?: number }} Entry */
/** @typedef {{ keyPolicy?: 'OVERRIDE' | 'FAIL_IF_EXISTS', returnValue?: 'PREVIOUS' | 'LATEST', ttl?: { value: number, unit: string } }} SetOptions */

const UNIT_MS = new Map([
  ['SECONDS', 1_000],
  ['MINUTES', 60_000],
  ['HOURS', 3_600_000],
  ['DAYS', 86_400_000],
]);
const KEY = /^(?!\s+$)[a-zA-Z0-9:._\s\-#]{1,500}$/;

/** The refusal of a request, with the code that the app receives. */
export class StorageError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A space of keys with their values. */
export class KeySpace {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #now;

  /** @param {() => number} now returns milliseconds since 1970 */
  constructor(now = Date.now) {
    this.#now = now;
  }

  /**
   * @param {string} key
   * @returns {Entry | undefined}
   */
  get(key) {
    requireKey(key);
    const entry = this.#entries.get(key);
    if (entry?.expiresAt !== undefined && entry.expiresAt <= this.#now()) {
      this.#entries.delete(key);
      return undefined;
    }
    return entry;
  }

  /**
   * @param {string} key
   * @param {unknown} value
   * @param {SetOptions} [options]
   * @returns {Entry | undefined} the entry that `returnValue` asks for
   */
  set(key, value, options = {}) {
    if (value === undefined || value === null) {
      throw new StorageError(400, 'BAD_REQUEST', 'The value is missing or null.');
    }
    const previous = this.get(key);
    if (previous && options.keyPolicy === 'FAIL_IF_EXISTS') {
      throw new StorageError(
        409,
        'KEY_ALREADY_EXISTS',
        'The key already exists, and the key policy is FAIL_IF_EXISTS.',
      );
    }
    const now = this.#now();
    /** @type {Entry} */
    const entry = { value: structuredClone(value), createdAt: previous?.createdAt ?? now, updatedAt: now };
    if (options.ttl) entry.expiresAt = now + options.ttl.value * (UNIT_MS.get(options.ttl.unit) ?? NaN);
    this.#entries.set(key, entry);
    if (options.returnValue === 'PREVIOUS') return previous;
    return options.returnValue === 'LATEST' ? entry : undefined;
  }

  /** @param {string} key */
  delete(key) {
    requireKey(key);
    this.#entries.delete(key);
  }

  /**
   * Returns a page of entries in the order of their keys.
   * @param {string} prefix
   * @param {string} after the last key of the previous page, or an empty string
   * @param {number} limit
   * @returns {{ data: (Entry & { key: string })[], cursor?: string }}
   */
  query(prefix, after, limit) {
    const keys = [...this.#entries.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const data = keys.slice(0, limit).flatMap((key) => {
      const entry = this.get(key);
      return entry ? [{ key, ...entry }] : [];
    });
    return keys.length > limit ? { data, cursor: keys[limit - 1] } : { data };
  }
}

/** @param {unknown} key */
function requireKey(key) {
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new StorageError(400, 'BAD_REQUEST', 'A key has 1 to 500 letters, digits, spaces or : . _ - #.');
  }
}

/** The storage of an installation. */
export class Spaces {
  values = new KeySpace();
  secrets = new KeySpace();
  /** @type {Map<string, KeySpace>} */
  #entities = new Map();

  /** @param {string} name */
  entity(name) {
    const known = this.#entities.get(name);
    if (known) return known;
    const fresh = new KeySpace();
    this.#entities.set(name, fresh);
    return fresh;
  }
}

/** The separate storages of all installations. */
export class Storage {
  /** @type {Map<string, Spaces>} */
  #installations = new Map();

  /** @param {string} installation */
  of(installation) {
    const known = this.#installations.get(installation);
    if (known) return known;
    const fresh = new Spaces();
    this.#installations.set(installation, fresh);
    return fresh;
  }
}
