// Fetches a session from the app's own resolver, through @forge/bridge.

import { messageOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { checkGrant, type SessionGrant, type SessionRequest } from './grant.js';
import { refusalIn } from './refusal.js';

/** The resolver function that returns a session. */
export const SESSION_FUNCTION = 'sealwire:session';

type Invoke = (functionKey: string, payload: Record<string, unknown>) => Promise<unknown>;

interface Bridge {
  invoke?: Invoke;
  default?: { invoke?: Invoke };
}

async function loadInvoke(): Promise<Invoke> {
  let bridge: Bridge;
  try {
    // The import happens at the first use: the module throws outside a page of Forge.
    bridge = (await import('@forge/bridge')) as Bridge;
  } catch (cause) {
    const message =
      'There is no Forge bridge here: either this page does not run inside Atlassian, or @forge/bridge is not ' +
      'installed. Elsewhere, pass createRealtime({ session }).';
    throw new SealwireError('INVALID_ARGUMENT', message, { cause });
  }
  const invoke = bridge.invoke ?? bridge.default?.invoke;
  if (invoke) return invoke;
  throw new SealwireError('INVALID_ARGUMENT', 'This version of @forge/bridge has no invoke().');
}

/** Matches the platform's message for a resolver function that the app lacks, which a retry does not correct. */
const MISSING_FUNCTION = /has no definition for/;

function invocationFailed(cause: unknown): SealwireError {
  const text = `The resolver function '${SESSION_FUNCTION}' failed: ${messageOf(cause)}`;
  if (!MISSING_FUNCTION.test(text)) return new SealwireError('SESSION_UNAVAILABLE', text, { cause });
  const hint = `Add resolver.define('${SESSION_FUNCTION}', realtime.session).`;
  return new SealwireError('INVALID_ARGUMENT', `${text} ${hint}`, { cause });
}

/** Invokes the resolver function. An error that it threw keeps its message and code. */
export async function forgeSession(request: SessionRequest): Promise<SessionGrant> {
  const invoke = await loadInvoke();
  let answer: unknown;
  try {
    answer = await invoke(SESSION_FUNCTION, { ...request });
  } catch (cause) {
    throw refusalIn(cause) ?? invocationFailed(cause);
  }
  return checkGrant(answer, `The resolver function '${SESSION_FUNCTION}'`);
}
