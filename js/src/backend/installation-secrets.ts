// The secrets of the installations that this process serves. They are created at the first use and cached for a while.

import { failureOf } from '../errors/failure-of.js';
import type { InstallationSecret, ResolverModule } from '../core/resolver-core.js';
import type { SecretStore } from './options.js';
import type { Signing } from './signing.js';

/** The age up to which a cached secret is used, in milliseconds. The core's overlap of keys exceeds it. */
export const MAX_AGE_MS = 60_000;
/** The same for a channel token: after a rotation, the token functions of all pages request one with the new key. */
export const MAX_AGE_FOR_TOKENS_MS = 5_000;
const MAX_CACHED = 500;

interface CachedSecret {
  secret: InstallationSecret;
  /** In Unix milliseconds. */
  readAt: number;
}

/** The secrets per installation, since a process may serve several. */
export class InstallationSecrets {
  readonly #store: SecretStore;
  readonly #now: () => number;
  readonly #core: () => ResolverModule;
  readonly #signing: Signing;
  readonly #cached = new Map<string, CachedSecret>();
  readonly #loading = new Map<string, Promise<InstallationSecret>>();

  constructor(store: SecretStore, now: () => number, core: () => ResolverModule, signing: Signing) {
    this.#store = store;
    this.#now = now;
    this.#core = core;
    this.#signing = signing;
  }

  /** Returns the secret. It reads the store if the cached secret is older than `maxAgeMs`; 0 always reads the store. */
  async of(installation: string, maxAgeMs = MAX_AGE_MS): Promise<InstallationSecret> {
    const cached = this.#cached.get(installation);
    if (cached && this.#isRecent(cached, maxAgeMs)) return cached.secret;
    const loading = this.#loading.get(installation);
    if (loading && maxAgeMs > 0) return loading;
    const started = this.#load(installation);
    this.#loading.set(installation, started);
    try {
      return await started;
    } finally {
      if (this.#loading.get(installation) === started) this.#loading.delete(installation);
    }
  }

  /** Adds a key to the stored secret. Of two concurrent rotations, one key is lost. */
  async rotate(installation: string): Promise<InstallationSecret> {
    const current = await this.of(installation, 0);
    const nowSeconds = Math.floor(this.#now() / 1000);
    const rotated = this.#core().rotate(current, nowSeconds, this.#signing.newKey());
    await this.#store.replace(installation, rotated);
    this.#cache(installation, rotated, this.#now());
    return rotated;
  }

  async #load(installation: string): Promise<InstallationSecret> {
    const readAt = this.#now();
    try {
      const reading = this.#store.read(installation);
      this.#prepareCore();
      const stored = await reading;
      const secret = stored ?? (await this.#create(installation));
      this.#cache(installation, secret, readAt);
      return secret;
    } catch (cause) {
      throw failureOf('The secret of this installation could not be read', cause);
    }
  }

  /** Compiles the core in a task of its own, while the storage answers. The use of the core reports a failure. */
  #prepareCore(): void {
    setTimeout(() => {
      try {
        this.#core();
      } catch {
        // The call that needs the core compiles it again.
      }
    }, 0);
  }

  /** Returns whether a secret is recent enough. A negative age, after the clock was set back, does not count. */
  #isRecent({ readAt }: CachedSecret, maxAgeMs: number): boolean {
    const age = this.#now() - readAt;
    return age >= 0 && age < maxAgeMs;
  }

  #create(installation: string): Promise<InstallationSecret> {
    const nowSeconds = Math.floor(this.#now() / 1000);
    const secret = this.#core().newInstallationSecret(nowSeconds, this.#signing.newKey());
    return this.#store.create(installation, secret);
  }

  #cache(installation: string, secret: InstallationSecret, readAt: number): void {
    this.#cached.delete(installation);
    this.#cached.set(installation, { secret, readAt });
    const oldest = this.#cached.keys().next();
    if (this.#cached.size > MAX_CACHED && !oldest.done) this.#cached.delete(oldest.value);
  }
}
