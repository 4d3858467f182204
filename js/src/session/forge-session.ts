// Fetches the session from the app's own resolver through @forge/bridge.

import type { SessionReason } from '../core/browser-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { checkGrant, type SessionGrant } from './grant.js';
import { splitCode } from './refusal.js';

/** The resolver function that answers with a session. */
export const SESSION_FUNCTION = 'sealwire:session';

type Invoke = (functionKey: string, payload: Record<string, unknown>) => Promise<unknown>;

interface Bridge {
  invoke?: Invoke;
  default?: { invoke?: Invoke };
}

async function loadInvoke(): Promise<Invoke> {
  let bridge: Bridge;
  try {
    // Imported at first use: the module throws where there is no Forge page around it.
    bridge = (await import('@forge/bridge')) as Bridge;
  } catch (cause) {
    const message =
      'There is no Forge bridge here: either this page does not run inside Atlassian, or @forge/bridge is not ' +
      'installed. Elsewhere, pass createRealtime({ session }).';
    throw new SealwireError('SESSION_UNAVAILABLE', message, { cause });
  }
  const invoke = bridge.invoke ?? bridge.default?.invoke;
  if (invoke) return invoke;
  throw new SealwireError('SESSION_UNAVAILABLE', 'This version of @forge/bridge has no invoke().');
}

/** Asks the resolver. What it threw comes back as the error's message, with the code that the resolver gave it. */
export async function forgeSession(reason: SessionReason): Promise<SessionGrant> {
  const invoke = await loadInvoke();
  let answer: unknown;
  try {
    answer = await invoke(SESSION_FUNCTION, { reason });
  } catch (cause) {
    const { code, message } = splitCode(cause instanceof Error ? cause.message : String(cause));
    const text = code ? message : `The resolver function '${SESSION_FUNCTION}' failed: ${message}`;
    throw new SealwireError(code ?? 'SESSION_UNAVAILABLE', text, { cause });
  }
  return checkGrant(answer, `The resolver function '${SESSION_FUNCTION}'`);
}
