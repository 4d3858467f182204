// Posts sealed messages and revocations to the relay. A request that a gateway or the network lost is repeated until its
// deadline. That is safe: the relay accepts a message with the same id only once, and revoking again changes nothing.

import { isRetryable, isUnavailable } from '../errors/codes.js';
import { sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { abortedError, UNASKED, withinMs, type Deadline } from './deadline.js';
import { causeOf, describeResponse, isTransient, retryAfterIn } from './gateway.js';

/** The maximum delay before the first retry. It doubles with each retry up to MAX_BACKOFF_MS. */
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2_000;
/** The minimum time for one attempt. Otherwise it is half of the remaining time, so that another attempt can follow. */
const MIN_ATTEMPT_MS = 1_000;

/** One entry of `messages` in the body of `POST /v1/publish`. */
export interface SealedMessage {
  channel: string;
  scope: Record<string, string>;
  token?: string;
  event: string;
  /** Base64. */
  sealed: string;
  /** 16 bytes in base64url. A request with the same id repeats the same message. */
  id: string;
  /** The digest of the content, 16 bytes in base64url, if the app chose the id. */
  content?: string;
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
  deadline: Deadline;
}

export interface Accepted {
  eventId: string;
  eventTimestamp: number;
}

interface Details {
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  /** True if the same request can succeed within its deadline. */
  isTransient?: boolean;
  cause?: unknown;
}

/** A refusal of the relay, the platform or a gateway, or a request that the network lost. */
export class RelayRefusal extends SealwireError {
  readonly status: number | undefined;
  readonly isTransient: boolean;

  constructor(code: string, message: string, details: Details) {
    super(code, message, details);
    this.status = details.status;
    this.isTransient = details.isTransient ?? false;
  }
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Returns the relay's own refusal; undefined if the value is not a refusal. */
function refusalIn(status: number, value: unknown): RelayRefusal | undefined {
  const { code, message, retryAfterMs: delay } = record(value);
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  const retryAfterMs = typeof delay === 'number' ? delay : undefined;
  const isTransient = isUnavailable(code) || (retryAfterMs !== undefined && isRetryable(code));
  return new RelayRefusal(code, sentence(message), { status, retryAfterMs, isTransient });
}

const MAYBE_ACCEPTED = 'The relay may have accepted the request nevertheless.';

/** Returns the error for a response that does not come from a relay. */
function foreignResponse(request: RelayRequest, response: Response): RelayRefusal {
  const { status, headers } = response;
  const answer = describeResponse(request.url, response);
  const platform = headers.get('forge-proxy-error');
  if (platform && !isTransient(status)) {
    const hint = 'Add the relay to permissions.external.fetch.backend in manifest.yml.';
    const approval = 'Deploy the app, and have an admin of the site approve the new version.';
    const message = `Forge did not pass the request on: ${platform}. ${hint} ${approval}`;
    return new RelayRefusal('EGRESS_BLOCKED', message, { status });
  }
  if (!isTransient(status)) {
    return new RelayRefusal('UNREACHABLE', `${answer}, but not as a relay does. Check SEALWIRE_URL.`, {
      status,
    });
  }
  const from = platform ? `Forge's proxy (${platform})` : 'a gateway in front of the relay';
  return new RelayRefusal('UNREACHABLE', `${answer}, which is the answer of ${from}. ${MAYBE_ACCEPTED}`, {
    status,
    retryAfterMs: retryAfterIn(headers, Date.now()),
    isTransient: true,
  });
}

function unanswered(request: RelayRequest, cause: unknown): RelayRefusal {
  const origin = new URL(request.url).origin;
  const reason = causeOf(cause);
  const hint = 'Is it running, and does the manifest list it under permissions.external.fetch.backend?';
  const accepted = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/.test(reason) ? '' : ` ${MAYBE_ACCEPTED}`;
  const message = `The relay at ${origin} could not be reached (${reason}). ${hint}${accepted}`;
  return new RelayRefusal('UNREACHABLE', message, { cause, isTransient: true });
}

async function exchange(request: RelayRequest, signal: AbortSignal): Promise<[Response, string]> {
  const response = await request.fetch(request.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${request.backendToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(request.body),
    signal,
  });
  return [response, await response.text()];
}

/** Sends the request once. `read` returns the result in the relay's answer, or undefined if there is none. */
async function attempt<T>(request: RelayRequest, read: (answer: Answer) => T | undefined): Promise<T> {
  const abort = new AbortController();
  const { leftMs, text: limit, signal } = request.deadline;
  if (leftMs === 0) {
    const message = `The relay at ${new URL(request.url).origin} was not asked: nothing could be done ${limit}.`;
    throw new RelayRefusal('UNREACHABLE', message, {});
  }
  const timeoutMs = Math.max(leftMs / 2, Math.min(leftMs, MIN_ATTEMPT_MS));
  const late = () => new DOMException('no answer in time', 'TimeoutError');
  let answered: [Response, string];
  try {
    const cancelled = () => abortedError(MAYBE_ACCEPTED);
    answered = await withinMs(timeoutMs, exchange(request, abort.signal), late, signal, cancelled);
  } catch (cause) {
    abort.abort();
    if (isAborted(cause)) throw cause;
    throw unanswered(request, cause);
  }
  const [response, content] = answered;
  const body = record(parsed(content));
  const refusal = refusalIn(response.status, body['error']);
  if (refusal) throw refusal;
  const result = response.ok ? read({ status: response.status, body }) : undefined;
  if (result === undefined) throw foreignResponse(request, response);
  return result;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the delay before a retry, with jitter that spreads the requests of many functions; undefined if time is up. */
function delayBefore(retry: number, retryAfterMs: number | undefined, leftMs: number): number | undefined {
  const jitter = Math.random();
  if (retryAfterMs === undefined) {
    const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** (retry - 1), MAX_BACKOFF_MS);
    const delay = backoff * (0.5 + jitter / 2);
    return delay < leftMs ? delay : undefined;
  }
  if (retryAfterMs >= leftMs) return undefined;
  return Math.min(retryAfterMs + (jitter * retryAfterMs) / 4, (retryAfterMs + leftMs) / 2);
}

function isAborted(thrown: unknown): boolean {
  return thrown instanceof SealwireError && thrown.code === 'ABORTED';
}

/** Waits, at most until the signal aborts. */
async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await withinMs(ms, new Promise<never>(() => {}), () => undefined, signal).catch(() => {});
}

/** Sends the request, with retries until its deadline or the app's signal. */
async function send<T>(request: RelayRequest, read: (answer: Answer) => T | undefined): Promise<T> {
  const { deadline } = request;
  const { signal } = deadline;
  let outcome = UNASKED;
  for (let attempts = 1; ; attempts += 1) {
    if (signal?.aborted) throw abortedError(outcome);
    try {
      return await attempt(request, read);
    } catch (thrown) {
      if (!(thrown instanceof RelayRefusal) || !thrown.isTransient) throw thrown;
      const delay = delayBefore(attempts, thrown.retryAfterMs, deadline.leftMs);
      if (delay === undefined) throw withAttempts(thrown, attempts, deadline);
      // A relay that refused a request has not accepted it. Anything else may have come from a gateway behind the relay.
      if (thrown.code === 'UNREACHABLE') outcome = MAYBE_ACCEPTED;
      else if (outcome !== MAYBE_ACCEPTED) outcome = 'The relay did not accept the request.';
      await sleep(delay, signal);
    }
  }
}

/** Returns the last failure, with the number of attempts in its message. */
function withAttempts(last: RelayRefusal, attempts: number, deadline: Deadline): RelayRefusal {
  if (last.code !== 'UNREACHABLE') return last;
  const tried = `Tried ${attempts === 1 ? 'once' : `${attempts} times`} in ${deadline.spent}, ${deadline.text}.`;
  const { status, retryAfterMs, cause } = last;
  return new RelayRefusal(last.code, `${last.message} ${tried}`, { status, retryAfterMs, cause });
}

type Addressed = Omit<RelayRequest, 'body'>;

/** Publishes one message. */
export function postMessage(to: Addressed, message: SealedMessage): Promise<Accepted> {
  return send({ ...to, body: { messages: [message] } }, ({ status, body }) => {
    const result = record(Array.isArray(body['results']) ? body['results'][0] : undefined);
    const refusal = refusalIn(status, result['error']);
    if (refusal) throw refusal;
    const { eventId, eventTimestamp } = result;
    const accepted = typeof eventId === 'string' && typeof eventTimestamp === 'number';
    return accepted ? { eventId, eventTimestamp } : undefined;
  });
}

/** Revokes sessions. Resolves with the time, in Unix seconds, before which the revoked sessions were minted. */
export function postRevocation(to: Addressed, revocation: Revocation): Promise<number> {
  return send({ ...to, body: revocation }, ({ body: { before } }) =>
    typeof before === 'number' ? before : undefined,
  );
}
