// Describes an HTTP response that a gateway sent in place of the relay.

/** The statuses of a gateway that was too busy or did not reach the relay. Those from 520 are Cloudflare's. */
const TRANSIENT = new Set([429, 502, 503, 504, 520, 521, 522, 523, 524]);
const MAX_HEADER_LENGTH = 60;

/** Returns whether the same request can succeed a moment later. */
export function isTransient(status: number): boolean {
  return TRANSIENT.has(status);
}

/** Names the address, the status and the headers that identify a gateway. */
export function describeResponse(url: string, { status, statusText, headers }: Response): string {
  const named = ['server', 'via', 'content-type'].flatMap((name) => {
    const value = headers.get(name);
    return value ? [`${name}: ${printable(value)}`] : [];
  });
  const line = ['HTTP', status, printable(statusText ?? '')].filter((part) => part !== '').join(' ');
  return `${new URL(url).origin} answered with ${line}${named.length > 0 ? ` (${named.join('; ')})` : ''}`;
}

/** Returns the delay of `Retry-After` in milliseconds (RFC 9110, section 10.2.3); undefined without a valid one. */
export function retryAfterIn(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Returns the reason for which a request got no response: the code of the system or undici, if there is one. */
export function causeOf(thrown: unknown): string {
  const { cause, code, name, message } = (thrown ?? {}) as Record<string, unknown>;
  const inner = (cause as { code?: unknown } | undefined)?.code ?? code;
  if (typeof inner === 'string') return printable(inner);
  return name === 'TimeoutError' || name === 'AbortError' ? 'no answer in time' : printable(String(message));
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_HEADER_LENGTH);
}
