// Reads the Forge context token, in which Atlassian signs the context of the page that called. Its signature cannot be
// checked here, since Atlassian publishes no key for it: the platform checks it before it runs the function.

import { fieldOf } from '../context/properties.js';

const MAX_TOKEN_LENGTH = 64 * 1024;
/** The platform's clock and this one may differ, and a function may run for a while. */
const GRACE_SECONDS = 60;

export interface SignedContext {
  moduleKey: string | undefined;
  /** The properties of it are those of the product that Atlassian has checked the user's access to. */
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

/** The last part of an ARI, or the id itself. */
function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(value.lastIndexOf('/') + 1) : undefined;
}

/** Undefined where there is no token, as for consumers and triggers, or none that is valid and can be read. */
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
