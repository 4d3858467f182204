// Rotates an installation's encryption key.

import { checkOptions } from '../arguments/options.js';
import type { Backend } from './backend.js';
import { REMEMBERED_MS } from './installation-secrets.js';
import { currentContext } from './invocation.js';

const REPLAY_WINDOW_SECONDS = 120;

/**
 * An older key is kept for as long as something may still be sealed with it: by a session minted before, by a process
 * that has not seen the rotation yet, and then for as long as the relay replays it.
 */
export async function rotateKey(
  backend: Backend,
  given: unknown,
): Promise<{ createdAt: number; keys: number }> {
  const options = checkOptions(given);
  const installation = backend.installation(currentContext(options['context']));
  const overlap = backend.sessionLifetimeSeconds + REMEMBERED_MS / 1000 + REPLAY_WINDOW_SECONDS;
  const { keys } = await backend.secrets.rotate(installation, overlap);
  return { createdAt: keys[0]?.createdAt ?? 0, keys: keys.length };
}
