// Posts to the relay: sealed messages, and whose sessions are to end.

import { sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';

const TIMEOUT_MS = 8_000;
/** How long a request is repeated that the relay asked to repeat; Forge gives a function 25 seconds. */
const PATIENCE_MS = 5_000;

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

/** The body of `POST /v1/disconnect`. */
export type Revocation = { before: number } & (
  { installation: true } | { account?: string; context?: Record<string, string> }
);

export interface RelayRequest {
  url: string;
  backendToken: string;
  body: { messages: [SealedMessage] } | Revocation;
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
  return request.fetch(request.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${request.backendToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(request.body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/**
 * A network failure is tried once more: with the same id, the relay takes a message once at most, and to revoke again
 * changes nothing.
 */
async function post(request: RelayRequest): Promise<Response> {
  try {
    return await attempt(request).catch(() => attempt(request));
  } catch (cause) {
    const origin = new URL(request.url).origin;
    const message = `The relay at ${origin} could not be reached. Is it running, and does the manifest list it under permissions.external.fetch.backend?`;
    throw new SealwireError('UNREACHABLE', message, { cause });
  }
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function answerOnce(request: RelayRequest): Promise<Answer> {
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
  return { status: response.status, body };
}

/** A relay that asks for patience gets it, within what a function may wait. Repeats are the same message, or revocation. */
async function answerTo(request: RelayRequest): Promise<Answer> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await answerOnce(request);
    } catch (thrown) {
      const wait = thrown instanceof RelayRefusal && thrown.retryable ? thrown.retryAfterMs : undefined;
      if (wait === undefined || performance.now() + wait > giveUpAt) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

type Addressed = Omit<RelayRequest, 'body'>;

export async function postMessage(to: Addressed, message: SealedMessage): Promise<Accepted> {
  const { status, body } = await answerTo({ ...to, body: { messages: [message] } });
  const result = record(Array.isArray(body['results']) ? body['results'][0] : undefined);
  const { eventId, eventTimestamp } = result;
  if (typeof eventId === 'string' && typeof eventTimestamp === 'number') return { eventId, eventTimestamp };
  throw refusal(status, result['error']);
}

/** Returns the moment, in Unix seconds, before which sessions must have been minted to be meant. */
export async function postRevocation(to: Addressed, revocation: Revocation): Promise<number> {
  const { status, body } = await answerTo({ ...to, body: revocation });
  const before = body['before'];
  if (typeof before === 'number') return before;
  throw refusal(status, undefined);
}
