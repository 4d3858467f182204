// Ends sessions before their time: of an account, of those with certain properties, or of the whole installation.

import { invalid, kindOf } from '../arguments/invalid.js';
import { byteLength } from '../arguments/names.js';
import { checkOptions } from '../arguments/options.js';
import type { ForgeContext } from '../context/properties.js';
import type { Backend } from './backend.js';
import { failuresOf } from './failures.js';
import { currentContext, installationOf } from './invocation.js';
import { postRevocation, type Revocation } from './relay-request.js';
import type { DisconnectResult } from './types.js';

const MAX_ACCOUNT_BYTES = 256;

const EXPECTED = "disconnect() takes { accountId }, { properties }, both of them, or 'installation'";

type Selector = { installation: true } | { account?: string; context?: Record<string, string> };

export async function disconnect(
  backend: Backend,
  whose: unknown,
  given: unknown,
): Promise<DisconnectResult> {
  const options = checkOptions(given);
  const selector = selectorOf(whose);
  const installation = installationOf(currentContext(options['context'] as ForgeContext | undefined));
  const { app, signingKey, disconnectUrl } = backend.settings();
  try {
    const nowSeconds = Math.floor(backend.now() / 1000);
    const backendToken = backend.core().mintBackendToken({ signingKey, app, installation, nowSeconds });
    // Session tokens know whole seconds: those of this one are meant as well.
    const revocation: Revocation = { ...selector, before: nowSeconds + 1 };
    const to = { url: disconnectUrl, backendToken, fetch: backend.fetch };
    return { before: await postRevocation(to, revocation) };
  } catch (thrown) {
    return { before: null, errors: failuresOf(thrown) };
  }
}

/** A mistake here must not end the sessions of everybody. */
export function selectorOf(whose: unknown): Selector {
  if (whose === 'installation') return { installation: true };
  if (typeof whose !== 'object' || whose === null || Array.isArray(whose)) {
    throw invalid(`${EXPECTED}, not ${kindOf(whose)}.`);
  }
  const { accountId, properties, ...others } = whose as Record<string, unknown>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw invalid(`${EXPECTED}; '${unknown}' is neither.`);
  if (accountId === undefined && properties === undefined) throw invalid(`${EXPECTED}.`);
  return {
    ...(accountId !== undefined && { account: checkAccount(accountId) }),
    ...(properties !== undefined && { context: checkProperties(properties) }),
  };
}

function checkAccount(accountId: unknown): string {
  const fits =
    typeof accountId === 'string' && accountId !== '' && byteLength(accountId) <= MAX_ACCOUNT_BYTES;
  if (fits) return accountId;
  throw invalid(`An accountId is a text of 1 to ${MAX_ACCOUNT_BYTES} bytes.`);
}

function checkProperties(properties: unknown): Record<string, string> {
  const entries =
    typeof properties === 'object' && properties !== null && !Array.isArray(properties)
      ? Object.entries(properties)
      : [];
  if (entries.length > 0 && entries.every(([, value]) => typeof value === 'string' && value !== '')) {
    return Object.fromEntries(entries) as Record<string, string>;
  }
  throw invalid(
    "The properties are those of a session's context and their values, such as { dashboard: '10001' }.",
  );
}
