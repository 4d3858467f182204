// Explains why a stream did not open: by the relay's own refusal, or by the answer of a gateway.

import { messageOf } from '../errors/failure-of.js';
import { sentence } from '../errors/from-core.js';
import { originOf } from './policy.js';
import type { Failure } from './socket.js';

/** The maximum length of a refusal of the relay. The error page of a gateway may be longer. */
const MAX_BODY_LENGTH = 16 * 1024;

/** Explains a request without an answer. The browser tells a page nothing more, even if a gateway answered. */
export function causeOf(url: string, thrown: unknown): Failure {
  const message = `${originOf(url)} gave no answer that the page may read (${messageOf(thrown)})`;
  return { code: 'UNREACHABLE', message };
}

/** Explains an answer that is not a stream. */
export async function refusalOf(url: string, response: Response): Promise<Failure> {
  const { status, headers } = response;
  const text = headers.get('content-type')?.startsWith('application/json') ? await response.text() : '';
  const refusal = text.length <= MAX_BODY_LENGTH ? relayRefusal(text) : undefined;
  if (refusal) return refusal;
  const message = `${originOf(url)} answered with HTTP ${status}, but not as a relay does`;
  return { code: 'UNREACHABLE', message };
}

function relayRefusal(text: string): Failure | undefined {
  try {
    const { code, message, retryAfterMs } =
      (JSON.parse(text) as { error?: Record<string, unknown> }).error ?? {};
    if (typeof code !== 'string' || typeof message !== 'string') return undefined;
    const wait = typeof retryAfterMs === 'number' && retryAfterMs > 0 ? { retryAfterMs } : {};
    return { code, message: sentence(message), ...wait };
  } catch {
    return undefined;
  }
}
