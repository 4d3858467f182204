// Requests a product's REST API as the user of the invocation.
//
// It calls the same function of the Forge runtime as `asUser()` of @forge/api. Importing @forge/api would make it a
// dependency of every resolver's bundle.

import { SealwireError } from '../errors/sealwire-error.js';

const TIMEOUT_MS = 8_000;

export type Product = 'jira' | 'confluence';

const NAMES: ReadonlyMap<Product, string> = new Map([
  ['jira', 'Jira'],
  ['confluence', 'Confluence'],
]);

type ForgeFetch = (target: object, path: string, init: object) => Promise<Response>;

function forgeFetch(): ForgeFetch {
  const { __forge_fetch__: ask } = globalThis as { __forge_fetch__?: ForgeFetch };
  if (typeof ask === 'function') return ask;
  throw new SealwireError(
    'INVALID_ARGUMENT',
    'There is no Forge runtime here, so no product can be asked. In tests, pass your own authorize().',
  );
}

/** Builds a path from a template. Each value is encoded, so that it stays one segment or one value of the query. */
export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return parts.map((part, index) => part + encodeURIComponent(values.at(index) ?? '')).join('');
}

function unavailable(product: Product, why: string, cause?: unknown): SealwireError {
  const message = `${NAMES.get(product)} did not say whether the user has access: ${why}`;
  return new SealwireError('SESSION_UNAVAILABLE', message, cause === undefined ? {} : { cause });
}

async function answerOf(product: Product, address: string, signal: AbortSignal): Promise<unknown> {
  const target = { type: 'fpp', provider: 'user', remote: product };
  const answer = await forgeFetch()(target, address, { headers: { accept: 'application/json' }, signal });
  // A refusal of the platform itself says nothing about the user's access.
  const refusal = answer.headers.get('forge-proxy-error');
  if (refusal === 'NEEDS_AUTHENTICATION_ERR') {
    throw unavailable(
      product,
      'the user has to allow the app first. Call the product with asUser() in another function.',
    );
  }
  if (refusal) throw unavailable(product, `Forge did not pass the request on (${refusal}).`);
  if (answer.status === 200) return answer.json();
  if ([401, 403, 404].includes(answer.status)) return undefined;
  throw unavailable(product, `HTTP status ${answer.status}.`);
}

/**
 * Resolves with the product's answer about something that the user may see; undefined if the user may not see it. Rejects if
 * the product says neither, which never grants access. A retry may succeed.
 */
export async function askAsUser(product: Product, address: string): Promise<unknown> {
  const given = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  // The deadline holds even if the platform ignores the signal.
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unavailable(product, `no answer within ${TIMEOUT_MS / 1000} s.`));
      given.abort();
    }, TIMEOUT_MS);
  });
  try {
    return await Promise.race([answerOf(product, address, given.signal), late]);
  } catch (cause) {
    throw cause instanceof SealwireError ? cause : unavailable(product, 'the request failed.', cause);
  } finally {
    clearTimeout(timer);
  }
}
