// Days and times as people read them.
import { daysBetween } from '../../src/days';

const range = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const weekday = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' });

/** Returns a text such as "Nov 24 – 28". */
export function spanText(from: string, to: string): string {
  return range.formatRange(Date.parse(from), Date.parse(to));
}

/** Returns a text such as "Tue 24". */
export function shortDayText(day: string): string {
  return `${weekday.format(Date.parse(day))} ${Number(day.slice(-2))}`;
}

/** Returns "Today" or a text such as "Tue". */
export function weekdayText(day: string, today: string): string {
  return day === today ? 'Today' : weekday.format(Date.parse(day));
}

/** Returns a text such as "in 5 days", "back in 3 days" or "over". */
export function whenText(from: string, to: string, today: string): string {
  const until = daysBetween(today, from);
  if (until > 0) return until === 1 ? 'from tomorrow' : `in ${until} days`;
  const left = daysBetween(today, to);
  if (left < 0) return 'over';
  return left === 0 ? 'back tomorrow' : `back in ${left + 1} days`;
}

/** Returns the time of a day in a time zone, such as "Tue 14:05". */
export function timeText(time: number, timeZone: string): string {
  const format = {
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
  } as const;
  return new Intl.DateTimeFormat('en', format).format(time);
}
