// Answers a page's request for a session: asks the app, and hands out the keys of the page's own context.

import { invalid } from '../arguments/invalid.js';
import { contextProperties } from '../context/properties.js';
import { errorFromCore } from '../errors/from-core.js';
import { withCodeInMessage } from '../session/refusal.js';
import type { SessionGrant } from '../session/grant.js';
import { authorized } from './authorization.js';
import type { Backend } from './backend.js';
import { installationOf } from './invocation.js';
import type { ResolverRequest } from './types.js';

async function grant(backend: Backend, request: ResolverRequest): Promise<SessionGrant> {
  // The payload comes from the page and decides nothing but whether the secret is read afresh.
  const { payload, context } = request;
  const installation = installationOf(context);
  const properties = contextProperties(context);
  if (properties['module'] === undefined) {
    throw invalid(`The context has no moduleKey. Only a page of the product can have a session.`);
  }
  const can = await authorized(backend.authorize, context);
  const { app, signingKey, socketUrl } = backend.settings();
  const reason = (payload as { reason?: unknown } | undefined | null)?.reason;
  const secret = await backend.secrets.of(installation, reason === 'unknown-key');
  const session = backend.core().mintSession(
    {
      signingKey,
      app,
      installation,
      // For the relay's audit log only. A public page has no account.
      account: context.accountId ?? 'anonymous',
      context: properties,
      can,
      lifetimeSeconds: backend.sessionLifetimeSeconds,
      nowSeconds: Math.floor(backend.now() / 1000),
    },
    secret,
  );
  return { url: socketUrl, ...session };
}

/** A refusal is thrown, with its code in the message: that is all that reaches the page. */
export async function session(backend: Backend, request: ResolverRequest): Promise<SessionGrant> {
  if (typeof request?.context !== 'object' || request.context === null) {
    throw invalid(`session is a resolver function: resolver.define('sealwire:session', realtime.session).`);
  }
  try {
    return await grant(backend, request);
  } catch (thrown) {
    throw withCodeInMessage(errorFromCore(thrown));
  }
}
