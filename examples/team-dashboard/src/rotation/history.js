// The history of a rotation: the persons on duty on the days that are over, and today. The past is stored, because later
// absences and changes of the order must not rewrite it.
import { dayIn, plusDays } from '../days.js';
import { dutyOn, isAway } from './schedule.js';

/** @typedef {import('./schedule.js').Rotation} Rotation */
/**
 * The moment of a change, with the absences that are stored then. `now` is in milliseconds since 1970.
 * @typedef {{ now: number, absences: readonly import('./schedule.js').Absence[] }} Moment
 */

/** The days before today that the history and the log keep. */
const DAYS_KEPT = 7;
const MAX_LOG = 40;

/**
 * Returns the day of the rotation, which begins at midnight in its time zone.
 * @param {Rotation} rotation
 * @param {Moment} moment
 */
export const todayOf = ({ timeZone }, { now }) => dayIn(timeZone, now);

/**
 * Stores the duties of the days that are over, and that of today. If an absence passed the duty of today to another person,
 * the log says so. Every change of the rotation or of an absence begins with it.
 * @param {Rotation} before
 * @param {Moment} moment
 * @returns {Rotation} the same object if there is nothing to store
 */
export function settled(before, moment) {
  if (!before.turn) return before;
  const rotation = withDaysBefore(before, moment);
  const today = todayOf(rotation, moment);
  const last = rotation.history.at(-1);
  if (last?.day !== today) return withDutyOfToday(rotation, moment);
  const person = dutyOn(rotation, moment.absences, today).person ?? null;
  const from = last.person;
  if (from?.accountId === person?.accountId) return rotation;
  const type = from && isAway(moment.absences, from.accountId, today) ? 'stoodIn' : 'returned';
  return logged(rotation, moment, { type, person, from });
}

/**
 * Ends a change of an absence. The result is always another object, so that it is stored: a change of the rotation that read
 * the absences before then has to read them again.
 * @param {Rotation} before
 * @param {Moment} moment
 * @returns {Rotation}
 */
export const followed = (before, moment) => (before.turn ? { ...settled(before, moment) } : before);

/**
 * Adds a change to the log, and stores the duty of today, which the change may have passed to another person.
 * @param {Rotation} rotation
 * @param {Moment} moment
 * @param {import('./schedule.js').LogChange} change
 * @returns {Rotation}
 */
export function logged(rotation, moment, change) {
  return withDutyOfToday({ ...rotation, log: [{ at: moment.now, change }, ...rotation.log] }, moment);
}

/**
 * Stores the duty of today, and drops everything older than a week.
 * @param {Rotation} rotation
 * @param {Moment} moment
 * @returns {Rotation}
 */
function withDutyOfToday(rotation, moment) {
  const today = todayOf(rotation, moment);
  const oldest = plusDays(today, -DAYS_KEPT);
  const person = dutyOn(rotation, moment.absences, today).person ?? null;
  const past = rotation.history.filter(({ day }) => day >= oldest && day < today);
  const log = rotation.log.filter(({ at }) => dayIn(rotation.timeZone, at) >= oldest).slice(0, MAX_LOG);
  const exceptions = rotation.exceptions.filter(({ day }) => day >= today);
  return { ...rotation, exceptions, history: [...past, { day: today, person }], log };
}

/**
 * Adds the days between the last one that is stored and today. Nothing changed on them, or they would be stored.
 * @param {Rotation} rotation
 * @param {Moment} moment
 * @returns {Rotation}
 */
function withDaysBefore(rotation, moment) {
  const today = todayOf(rotation, moment);
  const oldest = plusDays(today, -DAYS_KEPT);
  const next = plusDays(rotation.history.at(-1)?.day ?? today, 1);
  const missing = [];
  for (let day = next > oldest ? next : oldest; day < today; day = plusDays(day, 1)) {
    missing.push({ day, person: dutyOn(rotation, moment.absences, day).person ?? null });
  }
  return missing.length === 0 ? rotation : { ...rotation, history: [...rotation.history, ...missing] };
}
