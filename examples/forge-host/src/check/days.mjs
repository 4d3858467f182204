// Days of the site's users.
import { TIME_ZONE } from '../platform/members.mjs';

const DAY_MS = 86_400_000;
const QUARTER_MS = 15 * 60_000;
/** Swedish dates have the form YYYY-MM-DD. */
const FORMAT = new Intl.DateTimeFormat('sv-SE', { timeZone: TIME_ZONE });

/** Returns the time of the next midnight, in milliseconds since 1970. The time zone's offset is a multiple of 15 minutes. */
export function startOfTomorrow() {
  const today = dayFromToday(0);
  let time = Math.ceil(Date.now() / QUARTER_MS) * QUARTER_MS;
  while (FORMAT.format(time) === today) time += QUARTER_MS;
  return time;
}

/** @param {number} days */
export const dayFromToday = (days) => FORMAT.format(Date.now() + days * DAY_MS);
