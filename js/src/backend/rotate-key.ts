// rotateKey(): adds an encryption key to an installation's secret.

import { checkOptions } from '../arguments/options.js';
import { errorFromCore } from '../errors/from-core.js';
import type { Backend } from './backend.js';
import { currentContext } from './invocation.js';

/** Rotates the key. The core decides how long the replaced key stays in use. */
export async function rotateKey(
  backend: Backend,
  given: unknown,
): Promise<{ createdAt: number; keys: number }> {
  const options = checkOptions(given);
  const installation = backend.installation(currentContext(options['context']));
  try {
    const { keys } = await backend.secrets.rotate(installation);
    return { createdAt: keys[0]?.createdAt ?? 0, keys: keys.length };
  } catch (thrown) {
    throw errorFromCore(thrown);
  }
}
