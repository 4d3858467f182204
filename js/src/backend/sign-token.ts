// signRealtimeToken(): signs channel tokens, which permit one channel name and are bound to claims of the app's own.

import { canonicalJson } from '../arguments/canonical-json.js';
import { invalid, kindOf } from '../arguments/invalid.js';
import { checkLifetime } from '../arguments/lifetime.js';
import { byteLength, checkChannelName } from '../arguments/names.js';
import { checkOptions } from '../arguments/options.js';
import { plainJson } from '../arguments/plain-json.js';
import { ILL_FORMED, isWellFormed } from '../arguments/well-formed.js';
import type { Permission } from '../core/resolver-core.js';
import type { Backend } from './backend.js';
import { deadlineOf } from './deadline.js';
import { failuresOf, lateSecret } from './failures.js';
import { inquiryOf } from './inquiry.js';
import { MAX_AGE_FOR_TOKENS_MS } from './installation-secrets.js';
import { currentContext, currentInvocation } from './invocation.js';
import { targetOf } from './target.js';
import type { TokenResult } from './types.js';

const MAX_CLAIMS_BYTES = 4 * 1024;

/** Returns the canonical form of claims. */
function serialiseClaims(claims: unknown): string {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw invalid(`The claims must be a JSON object, such as { team: 'blue' }, not ${kindOf(claims)}.`);
  }
  const text = plainJson('claims', claims, (part) => (isWellFormed(part) ? undefined : ILL_FORMED));
  if (!text.startsWith('{')) {
    throw invalid('The claims must be a JSON object, and their toJSON() returned something else.');
  }
  const bytes = byteLength(text);
  if (bytes > MAX_CLAIMS_BYTES)
    throw invalid(`The claims have ${bytes} bytes as JSON; the limit is ${MAX_CLAIMS_BYTES}.`);
  return canonicalJson(JSON.parse(text));
}

const PERMISSIONS: readonly Permission[] = ['subscribe', 'publish', 'presence'];

function checkPermissions(permissions: unknown): Permission[] | undefined {
  if (permissions === undefined) return undefined;
  const valid =
    Array.isArray(permissions) &&
    permissions.length > 0 &&
    permissions.every((permission) => PERMISSIONS.includes(permission as Permission));
  if (!valid)
    throw invalid(
      `The permissions must be a list of 'subscribe', 'publish' and 'presence'. Omit them for the first two.`,
    );
  return [...new Set(permissions as Permission[])];
}

export async function signToken(
  backend: Backend,
  channelName: unknown,
  claims: unknown,
  permissions: unknown,
  given: unknown,
): Promise<TokenResult> {
  const options = checkOptions(given);
  const channel = checkChannelName(channelName);
  const canonicalClaims = serialiseClaims(claims);
  const can = checkPermissions(permissions);
  const lifetimeSeconds = checkLifetime(options['lifetimeSeconds'], 'lifetimeSeconds');
  const deadline = deadlineOf(options, backend.timeoutMs);
  const context = currentContext(options['context']);
  const inquiry = inquiryOf(backend, currentInvocation());
  const target = await targetOf(backend, inquiry, context, deadline);
  if (target.errors) return { token: null, expiresAt: null, errors: target.errors };
  const { app, signingKey, installation } = target;

  try {
    const read = backend.secrets.of(installation, MAX_AGE_FOR_TOKENS_MS);
    const secret = await deadline.within(read, () => lateSecret(deadline));
    const { token, expiresAt } = backend.core().signChannelToken(
      {
        signingKey,
        app,
        installation,
        channel,
        claims: canonicalClaims,
        ...(can && { can }),
        ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
        nowSeconds: Math.floor(backend.now() / 1000),
        blindNames: backend.blindNames(),
      },
      secret,
    );
    return { token, expiresAt };
  } catch (thrown) {
    return { token: null, expiresAt: null, errors: failuresOf(thrown) };
  }
}
