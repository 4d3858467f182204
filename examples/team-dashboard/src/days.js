// Calendar days as text of the form YYYY-MM-DD, for the functions and for the gadgets. A day has no time zone; `dayIn`
// returns the current one in a time zone.
const DAY_MS = 86_400_000;
const text = new Intl.DateTimeFormat('en', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});

/**
 * @param {unknown} value
 * @returns {value is string}
 */
export const isDay = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}$/.test(value) &&
  !isNaN(Date.parse(value)) &&
  plusDays(value, 0) === value;

/**
 * @param {string} day
 * @param {number} count
 */
export const plusDays = (day, count) => new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);

/**
 * Returns a text such as "Tue, Nov 24".
 * @param {string} day
 */
export const dayText = (day) => text.format(Date.parse(day));

/**
 * Returns the number of days from one day to another. It is negative if the other day is earlier.
 * @param {string} from
 * @param {string} to
 */
export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/**
 * @param {{ from: string, to: string }} absence both days are included
 * @param {string} day
 */
export const covers = ({ from, to }, day) => from <= day && day <= to;

/**
 * Returns the day at a time in a time zone.
 * @param {string} timeZone a name of the IANA database, such as Europe/London
 * @param {number} time milliseconds since 1970
 */
export function dayIn(timeZone, time) {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}

/**
 * Returns the time zone, or UTC if this runtime does not know it.
 * @param {unknown} timeZone
 */
export function knownTimeZone(timeZone) {
  if (typeof timeZone !== 'string') return 'UTC';
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
