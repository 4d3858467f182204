// Posts to the relay: sealed messages, and whose sessions are to end. A request that a gateway or the network lost is
// repeated until its deadline: with the same id, the relay takes a message once at most, and to revoke again changes nothing.

import { isRetryable, isUnavailable } from '../errors/codes.js';
import { sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { withinMs, type Deadline } from './deadline.js';
import { answerOf, causeOf, isPassing, retryAfterIn } from './gateway.js';

/** The longest pause before the first repeat; the pauses double up to the second. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;
/** The least time of one attempt; otherwise it is half of what is left, so that another one can follow. */
const LEAST_ATTEMPT_MS = 1_000;

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
  deadline: Deadline;
}

export interface Accepted {
  eventId: string;
  eventTimestamp: number;
}

interface Details {
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  /** The same request can succeed within its deadline. */
  isPassing?: boolean;
  cause?: unknown;
}

/** A refusal of the relay, the platform or a gateway, or a request that the network lost. */
export class RelayRefusal extends SealwireError {
  readonly status: number | undefined;
  readonly isPassing: boolean;

  constructor(code: string, message: string, details: Details) {
    super(code, message, details);
    this.status = details.status;
    this.isPassing = details.isPassing ?? false;
  }
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The relay's own refusal, where it is one. */
function refusalIn(status: number, value: unknown): RelayRefusal | undefined {
  const { code, message, retryAfterMs: asked } = record(value);
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  const retryAfterMs = typeof asked === 'number' ? asked : undefined;
  const isPassing = isUnavailable(code) || (retryAfterMs !== undefined && isRetryable(code));
  return new RelayRefusal(code, sentence(message), { status, retryAfterMs, isPassing });
}

const MAYBE_TAKEN = 'The relay may have taken the request all the same.';

/** An answer that no relay gives. */
function foreign(request: RelayRequest, response: Response): RelayRefusal {
  const { status, headers } = response;
  const answer = answerOf(request.url, response);
  const platform = headers.get('forge-proxy-error');
  if (platform && !isPassing(status)) {
    const hint = 'Add the relay to permissions.external.fetch.backend in manifest.yml.';
    const approval = 'Deploy the app, and have an admin of the site approve the new version.';
    const message = `Forge did not pass the request on: ${platform}. ${hint} ${approval}`;
    return new RelayRefusal('EGRESS_BLOCKED', message, { status });
  }
  if (!isPassing(status)) {
    return new RelayRefusal('UNREACHABLE', `${answer}, but not as a relay does. Check SEALWIRE_URL.`, {
      status,
    });
  }
  const from = platform ? `Forge's proxy (${platform})` : 'a gateway in front of the relay';
  return new RelayRefusal('UNREACHABLE', `${answer}, which is the answer of ${from}. ${MAYBE_TAKEN}`, {
    status,
    retryAfterMs: retryAfterIn(headers, Date.now()),
    isPassing: true,
  });
}

function unanswered(request: RelayRequest, cause: unknown): RelayRefusal {
  const origin = new URL(request.url).origin;
  const reason = causeOf(cause);
  const hint = 'Is it running, and does the manifest list it under permissions.external.fetch.backend?';
  const taken = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/.test(reason) ? '' : ` ${MAYBE_TAKEN}`;
  const message = `The relay at ${origin} could not be reached (${reason}). ${hint}${taken}`;
  return new RelayRefusal('UNREACHABLE', message, { cause, isPassing: true });
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

/** Asks once. `read` takes the relay's result from its answer, or undefined where there is none. */
async function attempt<T>(request: RelayRequest, read: (answer: Answer) => T | undefined): Promise<T> {
  const abort = new AbortController();
  const { leftMs, text: limit } = request.deadline;
  if (leftMs === 0) {
    const message = `The relay at ${new URL(request.url).origin} was not asked: nothing could be done ${limit}.`;
    throw new RelayRefusal('UNREACHABLE', message, {});
  }
  const patience = Math.max(leftMs / 2, Math.min(leftMs, LEAST_ATTEMPT_MS));
  const late = () => new DOMException('no answer in time', 'TimeoutError');
  let answered: [Response, string];
  try {
    answered = await withinMs(patience, exchange(request, abort.signal), late);
  } catch (cause) {
    abort.abort();
    throw unanswered(request, cause);
  }
  const [response, content] = answered;
  const body = record(parsed(content));
  const refusal = refusalIn(response.status, body['error']);
  if (refusal) throw refusal;
  const result = response.ok ? read({ status: response.status, body }) : undefined;
  if (result === undefined) throw foreign(request, response);
  return result;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The pause before the next attempt, spread so that the requests of many functions do not come back at one moment. */
function pauseBefore(repeat: number, asked: number | undefined, leftMs: number): number | undefined {
  const jitter = Math.random();
  if (asked === undefined) {
    const most = Math.min(FIRST_PAUSE_MS * 2 ** (repeat - 1), MAX_PAUSE_MS);
    const pause = most * (0.5 + jitter / 2);
    return pause < leftMs ? pause : undefined;
  }
  return asked < leftMs ? Math.min(asked + (jitter * asked) / 4, (asked + leftMs) / 2) : undefined;
}

async function answerTo<T>(request: RelayRequest, read: (answer: Answer) => T | undefined): Promise<T> {
  const { deadline } = request;
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt(request, read);
    } catch (thrown) {
      if (!(thrown instanceof RelayRefusal) || !thrown.isPassing) throw thrown;
      const pause = pauseBefore(attempts, thrown.retryAfterMs, deadline.leftMs);
      if (pause === undefined) throw after(thrown, attempts, deadline);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** The last failure, with the attempts that there were. */
function after(last: RelayRefusal, attempts: number, deadline: Deadline): RelayRefusal {
  if (last.code !== 'UNREACHABLE') return last;
  const tried = `Tried ${attempts === 1 ? 'once' : `${attempts} times`} in ${deadline.spent}, ${deadline.text}.`;
  const { status, retryAfterMs, cause } = last;
  return new RelayRefusal(last.code, `${last.message} ${tried}`, { status, retryAfterMs, cause });
}

type Addressed = Omit<RelayRequest, 'body'>;

export function postMessage(to: Addressed, message: SealedMessage): Promise<Accepted> {
  return answerTo({ ...to, body: { messages: [message] } }, ({ status, body }) => {
    const result = record(Array.isArray(body['results']) ? body['results'][0] : undefined);
    const refusal = refusalIn(status, result['error']);
    if (refusal) throw refusal;
    const { eventId, eventTimestamp } = result;
    const accepted = typeof eventId === 'string' && typeof eventTimestamp === 'number';
    return accepted ? { eventId, eventTimestamp } : undefined;
  });
}

/** Returns the moment, in Unix seconds, before which sessions must have been minted to be meant. */
export function postRevocation(to: Addressed, revocation: Revocation): Promise<number> {
  return answerTo({ ...to, body: revocation }, ({ body: { before } }) =>
    typeof before === 'number' ? before : undefined,
  );
}
