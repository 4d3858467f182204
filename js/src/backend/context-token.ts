// Reads the Forge context token, in which Atlassian signs the context of the calling page. This code cannot verify the
// signature, since Atlassian publishes no key for it: the platform verifies it before it runs the function.

import { fieldOf } from '../context/properties.js';

const MAX_TOKEN_LENGTH = 64 * 1024;
/** The tolerance for clock differences, and for the time that a function runs. */
const GRACE_SECONDS = 60;

export interface SignedContext {
  moduleKey: string | undefined;
  /** The context of the module's page. Atlassian has checked the user's access to its properties. */
  extension: unknown;
  installationId: string | undefined;
  accountId: string | undefined;
}

function decoded(token: string): unknown {
  try {
    const payload = token.split('.')[1] ?? '';
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  } catch {
    return undefined;
  }
}

/** Returns the last part of an ARI, or the id itself. */
function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(value.lastIndexOf('/') + 1) : undefined;
}

/** Returns undefined without a token, as for consumers and triggers, or if the token is expired or malformed. */
export function signedContext(token: unknown): SignedContext | undefined {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) return undefined;
  const claims = decoded(token);
  const context = fieldOf(claims, 'context');
  if (typeof context !== 'object' || context === null) return undefined;
  const exp = fieldOf(claims, 'exp');
  if (typeof exp === 'number' && exp + GRACE_SECONDS < Date.now() / 1000) return undefined;
  const moduleKey = fieldOf(context, 'moduleKey');
  const accountId = fieldOf(claims, 'accountId');
  return {
    moduleKey: typeof moduleKey === 'string' && moduleKey !== '' ? moduleKey : undefined,
    extension: fieldOf(context, 'extension'),
    installationId: idOf(fieldOf(claims, 'installationId')),
    accountId: typeof accountId === 'string' && accountId !== '' ? accountId : undefined,
  };
}
