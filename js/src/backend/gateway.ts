// Describes an HTTP answer that a gateway in front of the relay gave in the relay's place.

/** Statuses of a gateway that did not reach the relay or was too busy; from 520 on, those of Cloudflare. */
const PASSING = new Set([429, 502, 503, 504, 520, 521, 522, 523, 524]);
const MAX_HEADER = 60;

/** True if the same request can succeed a moment later. */
export function isPassing(status: number): boolean {
  return PASSING.has(status);
}

/** Names the address, the status and the headers by which gateways name themselves. */
export function answerOf(url: string, { status, statusText, headers }: Response): string {
  const named = ['server', 'via', 'content-type'].flatMap((name) => {
    const value = headers.get(name);
    return value ? [`${name}: ${printable(value)}`] : [];
  });
  const line = ['HTTP', status, printable(statusText ?? '')].filter((part) => part !== '').join(' ');
  return `${new URL(url).origin} answered with ${line}${named.length > 0 ? ` (${named.join('; ')})` : ''}`;
}

/** The time that `Retry-After` asks for, in milliseconds (RFC 9110, section 10.2.3). */
export function retryAfterIn(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The reason for which a request got no answer: the system's or undici's code where there is one. */
export function causeOf(thrown: unknown): string {
  const { cause, code, name, message } = (thrown ?? {}) as Record<string, unknown>;
  const inner = (cause as { code?: unknown } | undefined)?.code ?? code;
  if (typeof inner === 'string') return printable(inner);
  return name === 'TimeoutError' || name === 'AbortError' ? 'no answer in time' : printable(String(message));
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_HEADER);
}
