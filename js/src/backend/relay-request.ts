// Posts sealed messages to the relay.

import { sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';

const TIMEOUT_MS = 8_000;

/** One entry of `messages` in the body of `POST /v1/publish`. */
export interface SealedMessage {
  channel: string;
  scope: Record<string, string>;
  token?: string;
  event: string;
  /** Base64. */
  sealed: string;
  /** Base64url of 16 random bytes: a repeat of it is the same message. */
  id: string;
}

export interface RelayRequest {
  publishUrl: string;
  backendToken: string;
  message: SealedMessage;
  fetch: typeof globalThis.fetch;
}

export interface Accepted {
  eventId: string;
  eventTimestamp: number;
}

/** What the relay, or the platform before it, refused. */
export class RelayRefusal extends SealwireError {
  constructor(
    code: string,
    message: string,
    readonly status: number,
    retryAfterMs?: number,
  ) {
    super(code, message, { retryAfterMs });
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function refusal(status: number, value: unknown): RelayRefusal {
  const { code, message, retryAfterMs } = record(value);
  const known = typeof code === 'string' && typeof message === 'string';
  return new RelayRefusal(
    known ? code : 'UNREACHABLE',
    known
      ? sentence(message)
      : `The relay's address answered with HTTP ${status}, but not as a relay does. Check SEALWIRE_URL.`,
    status,
    typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
  );
}

async function attempt(request: RelayRequest): Promise<Response> {
  return request.fetch(request.publishUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${request.backendToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [request.message] }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/** A network failure is tried once more: with the same id, the relay takes the message once at most. */
async function post(request: RelayRequest): Promise<Response> {
  try {
    return await attempt(request).catch(() => attempt(request));
  } catch (cause) {
    const origin = new URL(request.publishUrl).origin;
    const message = `The relay at ${origin} could not be reached. Is it running, and does the manifest list it under permissions.external.fetch.backend?`;
    throw new SealwireError('UNREACHABLE', message, { cause });
  }
}

export async function postToRelay(request: RelayRequest): Promise<Accepted> {
  const response = await post(request);
  const platform = response.headers.get('forge-proxy-error');
  if (platform) {
    const hint = 'Add the relay to permissions.external.fetch.backend in manifest.yml.';
    throw new RelayRefusal(
      'UNREACHABLE',
      `Forge did not pass the request on: ${platform}. ${hint}`,
      response.status,
    );
  }
  const body = record(await response.json().catch(() => undefined));
  if (!response.ok) throw refusal(response.status, body['error']);
  const result = record(Array.isArray(body['results']) ? body['results'][0] : undefined);
  const { eventId, eventTimestamp } = result;
  if (typeof eventId === 'string' && typeof eventTimestamp === 'number') return { eventId, eventTimestamp };
  throw refusal(response.status, result['error']);
}
