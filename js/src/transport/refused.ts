// Says why no stream came about: by the relay's own refusal, or by whatever answered in its place.

import { messageOf } from '../errors/failure-of.js';
import { sentence } from '../errors/from-core.js';
import { originOf } from './policy.js';
import type { Failure } from './socket.js';

/** The relay's refusals are short; a gateway's page may not be. */
const MAX_BODY = 16 * 1024;

/** A request without an answer. The browser tells a page no more than that, also if a gateway answered. */
export function causeOf(url: string, thrown: unknown): Failure {
  const message = `${originOf(url)} gave the page no answer that it may read (${messageOf(thrown)})`;
  return { code: 'UNREACHABLE', message };
}

/** An answer that is no stream. */
export async function refusalOf(url: string, response: Response): Promise<Failure> {
  const { status, headers } = response;
  const text = headers.get('content-type')?.startsWith('application/json') ? await response.text() : '';
  const refusal = text.length <= MAX_BODY ? relaysOwn(text) : undefined;
  if (refusal) return refusal;
  const message = `${originOf(url)} answered with HTTP ${status}, but not as a relay does`;
  return { code: 'UNREACHABLE', message };
}

function relaysOwn(text: string): Failure | undefined {
  try {
    const { code, message, retryAfterMs } =
      (JSON.parse(text) as { error?: Record<string, unknown> }).error ?? {};
    if (typeof code !== 'string' || typeof message !== 'string') return undefined;
    const asked = typeof retryAfterMs === 'number' && retryAfterMs > 0 ? { retryAfterMs } : {};
    return { code, message: sentence(message), ...asked };
  } catch {
    return undefined;
  }
}
