// The changes that people make to a rotation: join, leave, take over, swap. Pure functions: each returns the changed rotation,
// or the same object if nothing changes, and throws a Refusal if the rules forbid the change.
import { dayText, isDay, knownTimeZone, plusDays } from '../days.js';
import { logged, settled, todayOf } from './history.js';
import { dutyOn, isAway, memberOf, personByOrder, PLAN_DAYS } from './schedule.js';

/** @typedef {import('./schedule.js').Rotation} Rotation */
/** @typedef {import('./schedule.js').Person} Person */
/** @typedef {import('./history.js').Moment} Moment */

const MAX_PEOPLE = 50;

/** A change that the rules forbid. The message is for the user. */
export class Refusal extends Error {}

/**
 * Adds a person at the end of the order. The first person's time zone becomes that of the rotation.
 * @param {Rotation} before
 * @param {Moment} moment
 * @param {Person} person
 * @param {unknown} timeZone
 * @returns {Rotation}
 */
export function join(before, moment, person, timeZone) {
  if (memberOf(before, person.accountId)) return before;
  if (before.people.length >= MAX_PEOPLE) throw new Refusal(`A rotation has at most ${MAX_PEOPLE} people.`);
  if (before.people.length === 0) {
    const started = { ...settled(before, moment), timeZone: knownTimeZone(timeZone), people: [person] };
    const turn = { day: todayOf(started, moment), accountId: person.accountId };
    return logged({ ...started, turn }, moment, { type: 'joined', person });
  }
  const { people, turn, ...rest } = turnToday(settled(before, moment), moment);
  // The last in the order is the one before the person whose turn it is.
  const place = people.findIndex(({ accountId }) => accountId === turn.accountId);
  const longer = [...people.slice(0, place), person, ...people.slice(place)];
  return logged({ ...rest, turn, people: longer }, moment, { type: 'joined', person });
}

/**
 * Removes the caller. The others keep their order, and the next one takes the caller's turn.
 * @param {Rotation} before
 * @param {Moment} moment
 * @param {string} accountId
 * @returns {Rotation}
 */
export function leave(before, moment, accountId) {
  const person = memberOf(before, accountId);
  if (!person) return before;
  const { people, turn, ...rest } = turnToday(settled(before, moment), moment);
  const next = people.at((people.findIndex((one) => one.accountId === turn.accountId) + 1) % people.length);
  const passed = turn.accountId === accountId && next ? { ...turn, accountId: next.accountId } : turn;
  const left = people.filter((one) => one.accountId !== accountId);
  const after = {
    ...rest,
    people: left,
    ...(left.length > 0 && { turn: passed }),
    exceptions: rest.exceptions.filter((exception) => exception.accountId !== accountId),
  };
  return logged(after, moment, { type: 'left', person });
}

/**
 * Gives the caller the duty of today. The call names the day and the person on duty that the caller's screen shows. Without
 * them, the second of two people who press the button at once would relieve the first without knowing.
 * @param {Rotation} before
 * @param {Moment} moment
 * @param {string} accountId
 * @param {{ day?: unknown, from?: unknown }} seen `from`: the account of the person on duty, or null if there is nobody
 * @returns {Rotation}
 */
export function takeOver(before, moment, accountId, { day, from }) {
  const rotation = settled(before, moment);
  const me = requireMember(rotation, accountId);
  const today = todayOf(rotation, moment);
  if (day !== today)
    throw new Refusal(`Today is ${dayText(today)} in ${rotation.timeZone}, another day than you saw.`);
  const { person } = dutyOn(rotation, moment.absences, today);
  if (person === me) throw new Refusal('You are on duty already.');
  if ((person?.accountId ?? null) !== from)
    throw new Refusal(`${person?.name ?? 'Nobody'} is on duty now. Look at the rotation, and try again.`);
  if (isAway(moment.absences, accountId, today))
    throw new Refusal('You are away today. Remove your absence first.');
  return logged(withException(rotation, today, me), moment, {
    type: 'tookOver',
    person: me,
    from: person ?? null,
  });
}

/**
 * Swaps a day on which the caller is on duty for a day of somebody else. The call names the person on duty on the other day, as
 * in `takeOver`.
 * @param {Rotation} before
 * @param {Moment} moment
 * @param {string} accountId
 * @param {{ day?: unknown, otherDay?: unknown, other?: unknown }} seen `day` is the caller's, `other` the account of the person
 * on duty on `otherDay`
 * @returns {Rotation}
 */
export function swap(before, moment, accountId, { day, otherDay, other }) {
  const rotation = settled(before, moment);
  const { absences } = moment;
  const me = requireMember(rotation, accountId);
  const today = todayOf(rotation, moment);
  const last = plusDays(today, PLAN_DAYS - 1);
  if (!isDay(day) || !isDay(otherDay)) throw new Refusal('The days to swap must be dates (YYYY-MM-DD).');
  if ([day, otherDay].some((one) => one < today || one > last))
    throw new Refusal(`Only the ${PLAN_DAYS} days from today can be swapped.`);
  const them = dutyOn(rotation, absences, otherDay).person;
  if (dutyOn(rotation, absences, day).person !== me || !them || them.accountId !== other || them === me)
    throw new Refusal('The plan of these days is another one now. Look at the rotation, and try again.');
  for (const [person, newDay] of /** @type {const} */ ([
    [me, otherDay],
    [them, day],
  ])) {
    if (isAway(absences, person.accountId, newDay))
      throw new Refusal(`${person.name} is away on ${dayText(newDay)}. Choose another day.`);
  }
  const swapped = withException(withException(rotation, day, them), otherDay, me);
  return logged(swapped, moment, { type: 'swapped', person: me, day, other: them, otherDay });
}

/**
 * @param {Rotation} rotation
 * @param {string} accountId
 */
function requireMember(rotation, accountId) {
  const member = memberOf(rotation, accountId);
  if (!member) throw new Refusal('You are not in this rotation. Join it first.');
  return member;
}

/**
 * Gives a day to a person, whatever the order says.
 * @param {Rotation} rotation
 * @param {string} day
 * @param {Person} person
 * @returns {Rotation}
 */
function withException(rotation, day, { accountId }) {
  const others = rotation.exceptions.filter((exception) => exception.day !== day);
  const isNeeded = personByOrder(rotation, day)?.accountId !== accountId;
  return { ...rotation, exceptions: isNeeded ? [...others, { day, accountId }] : others };
}

/**
 * Counts the turns from today, so that a longer or shorter order does not change the turn of today.
 * @param {Rotation} rotation
 * @param {Moment} moment
 * @returns {Rotation & { turn: import('./schedule.js').Turn }}
 */
function turnToday(rotation, moment) {
  const day = todayOf(rotation, moment);
  const person = personByOrder(rotation, day);
  if (!person) throw new Error('A rotation without a turn has no people.');
  return { ...rotation, turn: { day, accountId: person.accountId } };
}
