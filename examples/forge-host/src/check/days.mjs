// Days of the site's users.
import { TIME_ZONE } from '../platform/members.mjs';

const DAY_MS = 86_400_000;
/** Swedish dates have the form YYYY-MM-DD. */
const FORMAT = new Intl.DateTimeFormat('sv-SE', { timeZone: TIME_ZONE });

/** @param {number} days */
export const dayFromToday = (days) => FORMAT.format(Date.now() + days * DAY_MS);
