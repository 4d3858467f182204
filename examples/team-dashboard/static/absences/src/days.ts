// Calendar days as text of the form YYYY-MM-DD, without a time zone.
const DAY_MS = 86_400_000;
const range = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });

export function today(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

export function plusDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Returns a text such as "Nov 24 – 28". */
export function spanText(from: string, to: string): string {
  return range.formatRange(Date.parse(from), Date.parse(to));
}

/** Returns a text such as "in 5 days", "back in 3 days" or "over". */
export function whenText(from: string, to: string, now = today()): string {
  const until = days(now, from);
  if (until > 0) return until === 1 ? 'from tomorrow' : `in ${until} days`;
  const left = days(now, to);
  if (left < 0) return 'over';
  return left === 0 ? 'back tomorrow' : `back in ${left + 1} days`;
}

export function isAway(from: string, to: string, now = today()): boolean {
  return from <= now && now <= to;
}

const days = (from: string, to: string) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
