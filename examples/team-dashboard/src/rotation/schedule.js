// The plan of a rotation: the person on duty on each day. Pure functions, which the resolver and both gadgets use, so that the
// screens agree with the stored history.
import { covers, daysBetween, plusDays } from '../days.js';

/** @typedef {import('../people.js').Person} Person */
/** @typedef {import('../absences.js').Absence} Absence */

/**
 * A rotation of a dashboard. Each day belongs to one person: the people take turns in their order, `turn` is one day with the
 * person whose turn it is, and `exceptions` are the days that somebody took over or swapped. `history` has the days that are
 * over and today, and `log` the changes, newest first; both go back a week. `timeZone` says when a day begins, and `version`
 * counts the changes.
 * @typedef {object} Rotation
 * @property {number} version
 * @property {string} timeZone
 * @property {Person[]} people
 * @property {Turn} [turn] missing if there are no people
 * @property {Turn[]} exceptions
 * @property {PastDay[]} history ordered by day
 * @property {LogEntry[]} log
 */
/** @typedef {{ day: string, accountId: string }} Turn */
/** @typedef {{ day: string, person: Person | null }} PastDay `person` had the duty at the end of the day, or has it today */
/**
 * A change. With `stoodIn` and `returned`, an absence passed the duty of today from one person to another.
 * @typedef {(
 *   | { type: 'joined' | 'left', person: Person }
 *   | { type: 'tookOver', person: Person, from: Person | null }
 *   | { type: 'swapped', person: Person, day: string, other: Person, otherDay: string }
 *   | { type: 'stoodIn' | 'returned', person: Person | null, from: Person | null }
 * )} LogChange
 */
/** @typedef {{ at: number, change: LogChange }} LogEntry `at` is in milliseconds since 1970 */

/** The number of days, from today, that people can swap. */
export const PLAN_DAYS = 14;

/** The rotation of a dashboard on which nobody has joined one. @type {Rotation} */
export const EMPTY = {
  version: 0,
  timeZone: 'UTC',
  people: [],
  exceptions: [],
  history: [],
  log: [],
};

/**
 * Returns the person who has a day by the order alone.
 * @param {Rotation} rotation
 * @param {string} day
 * @returns {Person | undefined}
 */
export function personByOrder({ people, turn }, day) {
  if (!turn || people.length === 0) return undefined;
  const start = people.findIndex(({ accountId }) => accountId === turn.accountId);
  return people.at((start + daysBetween(turn.day, day)) % people.length);
}

/**
 * Returns the duty of a day: the person who has the day, and the person on duty. They differ if the former is away: then the
 * next in the order who is not away stands in. Nobody is on duty if all are away.
 * @param {Rotation} rotation
 * @param {readonly Absence[]} absences
 * @param {string} day
 * @returns {{ day: string, planned: Person | undefined, person: Person | undefined }}
 */
export function dutyOn(rotation, absences, day) {
  const { people, exceptions } = rotation;
  const exception = exceptions.find((one) => one.day === day);
  const planned = exception ? memberOf(rotation, exception.accountId) : personByOrder(rotation, day);
  if (!planned) return { day, planned, person: undefined };
  const start = people.indexOf(planned);
  const inOrder = [...people.slice(start), ...people.slice(0, start)];
  return { day, planned, person: inOrder.find(({ accountId }) => !isAway(absences, accountId, day)) };
}

/**
 * Returns the duties of some days from a day on.
 * @param {Rotation} rotation
 * @param {readonly Absence[]} absences
 * @param {string} from
 * @param {number} [count]
 */
export const plan = (rotation, absences, from, count = PLAN_DAYS) =>
  Array.from({ length: count }, (_, index) => dutyOn(rotation, absences, plusDays(from, index)));

/**
 * @param {Rotation} rotation
 * @param {unknown} accountId
 */
export const memberOf = ({ people }, accountId) => people.find((person) => person.accountId === accountId);

/**
 * @param {readonly Absence[]} absences
 * @param {string} accountId
 * @param {string} day
 */
export const isAway = (absences, accountId, day) =>
  absences.some((absence) => absence.accountId === accountId && covers(absence, day));
