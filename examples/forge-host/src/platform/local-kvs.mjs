// Connects the `@forge/kvs` of this process to a storage in memory. Tests use it; function-process.cjs does it for functions.
import { answerStorage } from './storage-api.mjs';

/**
 * @param {import('./storage.mjs').Spaces} spaces the storage of an installation
 * @param {(path: string) => unknown} [before] is called, and waited for, before each answer
 */
export function connectKvs(spaces, before = () => {}) {
  Object.assign(globalThis, {
    __forge_fetch__: async (
      /** @type {object} */ _target,
      /** @type {string} */ path,
      /** @type {any} */ { body },
    ) => {
      await before(path);
      const answer = answerStorage(spaces, path, body);
      return new Response(answer.body || null, { status: answer.status });
    },
  });
}
