// Answers a page's request for a session: calls authorize(), and returns the keys of those properties of the page's own
// context that the platform or the app vouches for.

import { invalid } from '../arguments/invalid.js';
import type { ForgeContext } from '../context/properties.js';
import { errorFromCore } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { withCodeInMessage } from '../session/refusal.js';
import type { ScopedGrant } from '../session/scoped-grant.js';
import { checkAccount, identifiedAccount } from './accounts.js';
import type { Backend } from './backend.js';
import { Deadline } from './deadline.js';
import { grantedBy, noDefaultIn, unverifiedHint, vouchedAccount } from './evidence.js';
import { Inquiry } from './inquiry.js';
import { forgePlatform } from './platform.js';
import { settingsWithin } from './relay-settings.js';
import type { ResolverRequest } from './types.js';

/** Returns the page's public key, if there is an account to certify it for. */
function certifiedKey(backend: Backend, context: ForgeContext, publicKey: unknown): string | undefined {
  if (publicKey === undefined) return undefined;
  if (typeof publicKey !== 'string' || !backend.signing.isPublicKey(publicKey)) {
    throw invalid('The publicKey of the payload must be a point of P-256, 65 bytes in base64url.');
  }
  return vouchedAccount(backend, context) === undefined ? undefined : publicKey;
}

async function grant(backend: Backend, request: ResolverRequest): Promise<ScopedGrant> {
  // The payload comes from the page. It decides only whether the cached secret is used, and which key is certified for the
  // account of the context.
  const { payload, context } = request;
  const installation = backend.installation(context);
  if (context.moduleKey === undefined || context.moduleKey === '') {
    throw invalid(`The context has no moduleKey. Only a page of the product can have a session.`);
  }
  const account = forgePlatform()?.accountId;
  if (account !== undefined && context.accountId !== undefined && context.accountId !== account) {
    throw new SealwireError(
      'PERMISSION_MISSING',
      'The account of the call is not the one that the platform names.',
    );
  }
  checkAccount(context, backend.unlicensedAccess);
  // Every session is decided separately, since an earlier permission may be gone.
  const inquiry = new Inquiry(backend);
  const evidence = await inquiry.evidence(context);
  const decision = await inquiry.decision(context);
  if (!decision) throw invalid('Sessions need createRealtime({ authorize }).');
  const properties = grantedBy(decision, evidence);
  const deadline = new Deadline(backend.timeoutMs);
  const { app, signingKey, socketUrl } = await settingsWithin(deadline, inquiry.settings(context));
  const { reason, publicKey } = (payload ?? {}) as { reason?: unknown; publicKey?: unknown };
  const certified = certifiedKey(backend, context, publicKey);
  const secret = await backend.secrets.of(installation, reason === 'unknown-key' ? 0 : undefined);
  const session = backend.core().mintSession(
    {
      signingKey,
      app,
      installation,
      // The account serves the relay's audit log and revocations. A public page has none.
      account: identifiedAccount(context) ?? 'anonymous',
      context: Object.fromEntries(properties),
      can: decision.can,
      lifetimeSeconds: backend.sessionLifetimeSeconds,
      nowSeconds: Math.floor(backend.now() / 1000),
      blindNames: backend.blindNames(),
      ...(certified !== undefined && { publicKey: certified }),
    },
    secret,
    backend.signing.sign,
  );
  const noDefaultScope = noDefaultIn(properties, evidence);
  const scopeHint = unverifiedHint(properties, evidence.all);
  return {
    url: socketUrl,
    issuedAtMs: Math.floor(backend.now()),
    ...session,
    ...(session.nameTagKey !== undefined && { readableContext: Object.fromEntries(properties) }),
    ...(noDefaultScope !== undefined && { noDefaultScope }),
    ...(scopeHint !== undefined && { scopeHint }),
  };
}

/** Returns a session. Throws a refusal with its code in the message, since only the message reaches the page. */
export async function session(backend: Backend, request: ResolverRequest): Promise<ScopedGrant> {
  if (typeof request?.context !== 'object' || request.context === null) {
    throw invalid(`session is a resolver function: resolver.define('sealwire:session', realtime.session).`);
  }
  try {
    return await grant(backend, request);
  } catch (thrown) {
    throw withCodeInMessage(errorFromCore(thrown));
  }
}
