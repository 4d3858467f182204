// The secrets of the installations that this process serves: created at first use, and remembered for a while.

import { failureOf } from '../errors/failure-of.js';
import type { InstallationSecret, ResolverModule } from '../core/resolver-core.js';
import type { SecretStore } from './types.js';

/** How long a rotation elsewhere may go unseen, in milliseconds. The core's overlap of keys counts on it. */
export const REMEMBERED_MS = 60_000;
/** How long at a channel token: after a rotation, the token functions of all pages ask for one with the new key. */
export const REMEMBERED_FOR_TOKENS_MS = 5_000;
const MAX_REMEMBERED = 500;

interface Remembered {
  secret: InstallationSecret;
  /** Unix milliseconds. */
  readAt: number;
}

/** Everything here is keyed by the installation: a process may serve several. */
export class InstallationSecrets {
  readonly #store: SecretStore;
  readonly #now: () => number;
  readonly #core: () => ResolverModule;
  readonly #remembered = new Map<string, Remembered>();
  readonly #loading = new Map<string, Promise<InstallationSecret>>();

  constructor(store: SecretStore, now: () => number, core: () => ResolverModule) {
    this.#store = store;
    this.#now = now;
    this.#core = core;
  }

  /** Reads the store where what is remembered is older than `maxAgeMs`; 0 reads it in any case. */
  async of(installation: string, maxAgeMs = REMEMBERED_MS): Promise<InstallationSecret> {
    const remembered = this.#remembered.get(installation);
    if (remembered && this.#isRecent(remembered, maxAgeMs)) return remembered.secret;
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

  /** Reads, adds a key and writes back. Two rotations at once would lose one of the two keys. */
  async rotate(installation: string): Promise<InstallationSecret> {
    const current = await this.of(installation, 0);
    const rotated = this.#core().rotate(current, Math.floor(this.#now() / 1000));
    await this.#store.replace(installation, rotated);
    this.#remember(installation, rotated, this.#now());
    return rotated;
  }

  async #load(installation: string): Promise<InstallationSecret> {
    const readAt = this.#now();
    try {
      const stored = await this.#store.read(installation);
      const secret = stored ?? (await this.#create(installation));
      this.#remember(installation, secret, readAt);
      return secret;
    } catch (cause) {
      throw failureOf('The secret of this installation could not be read', cause);
    }
  }

  /** A clock that was set back says nothing about an age. */
  #isRecent({ readAt }: Remembered, maxAgeMs: number): boolean {
    const age = this.#now() - readAt;
    return age >= 0 && age < maxAgeMs;
  }

  #create(installation: string): Promise<InstallationSecret> {
    const secret = this.#core().newInstallationSecret(Math.floor(this.#now() / 1000));
    return this.#store.create(installation, secret);
  }

  #remember(installation: string, secret: InstallationSecret, readAt: number): void {
    this.#remembered.delete(installation);
    this.#remembered.set(installation, { secret, readAt });
    const oldest = this.#remembered.keys().next();
    if (this.#remembered.size > MAX_REMEMBERED && !oldest.done) this.#remembered.delete(oldest.value);
  }
}
