// The relay and the installation that a call of the app's functions is for.

import type { ForgeContext } from '../context/properties.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { Backend } from './backend.js';
import type { Deadline } from './deadline.js';
import { failuresOf } from './failures.js';
import type { Inquiry } from './inquiry.js';
import { settingsWithin } from './relay-settings.js';
import type { Settings } from './settings.js';
import type { RealtimeFailure } from './types.js';

/** The settings and the installation. */
export type ResolvedTarget = Settings & { installation: string; errors?: never };

/** The settings and the installation, or the reason why a function of the app did not return a setting. */
export type Target = ResolvedTarget | { errors: RealtimeFailure[] };

/** Resolves with the target of a call in this context. Rejects if a setting is missing or invalid. */
export async function targetOf(
  backend: Backend,
  inquiry: Inquiry,
  context: ForgeContext,
  deadline: Deadline,
): Promise<Target> {
  try {
    deadline.throwIfAborted();
    const settings = await settingsWithin(deadline, inquiry.settings(context));
    return { ...settings, installation: backend.installation(context) };
  } catch (thrown) {
    if (thrown instanceof SealwireError && thrown.code === 'INVALID_ARGUMENT') throw thrown;
    return { errors: failuresOf(thrown) };
  }
}
