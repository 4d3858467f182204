// disconnect(): revokes sessions of an account, sessions with certain properties, or all sessions of the installation.

import { invalid, kindOf } from '../arguments/invalid.js';
import { checkOptions } from '../arguments/options.js';
import { checkProperties } from '../arguments/properties.js';
import { checkAccountId } from './accounts.js';
import type { Backend } from './backend.js';
import { deadlineOf, type Deadline } from './deadline.js';
import { failuresOf, lateSecret } from './failures.js';
import { inquiryOf } from './inquiry.js';
import { currentContext, currentInvocation } from './invocation.js';
import { postRevocation, type Revocation } from './relay-request.js';
import { targetOf, type ResolvedTarget } from './target.js';
import type { DisconnectResult } from './types.js';

const EXPECTED = "disconnect() takes { accountId }, { properties }, both of them, or 'installation'";

type Selector = { installation: true } | { account?: string; context?: Record<string, string> };

export async function disconnect(
  backend: Backend,
  selected: unknown,
  given: unknown,
): Promise<DisconnectResult> {
  const options = checkOptions(given);
  const selector = selectorOf(selected);
  const deadline = deadlineOf(options, backend.timeoutMs);
  const context = currentContext(options['context']);
  const inquiry = inquiryOf(backend, currentInvocation());
  const target = await targetOf(backend, inquiry, context, deadline);
  if (target.errors) return { before: null, errors: target.errors };
  const { app, signingKey, disconnectUrl, installation } = target;
  try {
    const seen = await seenByRelay(backend, selector, target, deadline);
    const nowSeconds = Math.floor(backend.now() / 1000);
    const backendToken = backend.core().mintBackendToken({ signingKey, app, installation, nowSeconds });
    // Session tokens carry whole seconds, so tokens minted during the current second are revoked too.
    const revocation: Revocation = { ...seen, before: nowSeconds + 1 };
    const to = { url: disconnectUrl, backendToken, fetch: backend.fetch, deadline };
    return { before: await postRevocation(to, revocation) };
  } catch (thrown) {
    return { before: null, errors: failuresOf(thrown) };
  }
}

/** Returns a selector with the values that the relay sees in sessions. */
async function seenByRelay(
  backend: Backend,
  selector: Selector,
  { app, installation }: ResolvedTarget,
  deadline: Deadline,
): Promise<Selector> {
  if (!('context' in selector) || !backend.blindNames()) return selector;
  const secret = await deadline.within(backend.secrets.of(installation), () => lateSecret(deadline));
  return {
    ...selector,
    context: backend.core().tagValues(app, installation, selector.context, secret),
  };
}

/** Checks the selector strictly, so that a mistake never ends all sessions. */
export function selectorOf(selected: unknown): Selector {
  if (selected === 'installation') return { installation: true };
  if (typeof selected !== 'object' || selected === null || Array.isArray(selected)) {
    throw invalid(`${EXPECTED}, not ${kindOf(selected)}.`);
  }
  const { accountId, properties, ...others } = selected as Record<string, unknown>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw invalid(`${EXPECTED}; '${unknown}' is neither.`);
  if (accountId === undefined && properties === undefined) throw invalid(`${EXPECTED}.`);
  return {
    ...(accountId !== undefined && { account: checkAccount(accountId) }),
    ...(properties !== undefined && { context: checkSelected(properties) }),
  };
}

function checkAccount(accountId: unknown): string {
  if (typeof accountId === 'string') return checkAccountId(accountId);
  throw invalid(`An accountId is a text, not ${kindOf(accountId)}.`);
}

/** Refuses an empty selection, which would match every session. */
function checkSelected(properties: unknown): Record<string, string> {
  const selected = checkProperties("The properties of a session's context", properties);
  if (selected.size > 0) return Object.fromEntries(selected);
  throw invalid(
    "The properties are those of a session's context and their values, such as { dashboard: '10001' }.",
  );
}
