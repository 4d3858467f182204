// Stores the encryption keys of the installations in a file that only this user can read.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** @typedef {import('sealwire/resolver').SecretStore} SecretStore */
/** @typedef {Parameters<SecretStore['create']>[1]} Secret */

/** @implements {SecretStore} */
export class FileSecrets {
  #file;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {string} file */
  constructor(file) {
    this.#file = file;
  }

  /** @param {string} installation */
  async read(installation) {
    return (await this.#all()).get(installation);
  }

  /**
   * @param {string} installation
   * @param {Secret} secret
   */
  create(installation, secret) {
    return this.#oneAtATime(async () => {
      const all = await this.#all();
      const existing = all.get(installation);
      if (existing) return existing;
      await this.#write(all.set(installation, secret));
      return secret;
    });
  }

  /**
   * @param {string} installation
   * @param {Secret} secret
   */
  replace(installation, secret) {
    return this.#oneAtATime(async () => this.#write((await this.#all()).set(installation, secret)));
  }

  /** @returns {Promise<Map<string, Secret>>} */
  async #all() {
    try {
      return new Map(Object.entries(JSON.parse(await readFile(this.#file, 'utf8'))));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return new Map();
      throw error;
    }
  }

  /** @param {Map<string, Secret>} all */
  async #write(all) {
    const draft = `${this.#file}.new`;
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    await writeFile(draft, JSON.stringify(Object.fromEntries(all)), { mode: 0o600 });
    await rename(draft, this.#file);
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  #oneAtATime(work) {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
