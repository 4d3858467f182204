import assert from 'node:assert/strict';
import test from 'node:test';
import { join, leave, Refusal, swap, takeOver } from '../src/rotation/changes.js';
import { settled } from '../src/rotation/history.js';
import { dutyOn, EMPTY, plan } from '../src/rotation/schedule.js';

/** @typedef {import('../src/rotation/schedule.js').Rotation} Rotation */

const [ANNA, BEN, CLEO] = ['Anna', 'Ben', 'Cleo'].map((name) => ({ accountId: name.toLowerCase(), name }));
const DAY_MS = 86_400_000;
const MONDAY = '2026-11-23';
const TUESDAY = '2026-11-24';
const WEDNESDAY = '2026-11-25';

/** @param {string} day @param {any[]} absences */
const noon = (day, absences = []) => ({ now: Date.parse(`${day}T12:00:00Z`), absences });

/** @param {string} accountId @param {string} from @param {string} to */
const absence = (accountId, from, to = from) => ({ id: '1', accountId, from, to });

const team = (zone = 'UTC', people = [ANNA, BEN, CLEO]) =>
  people.reduce(
    (rotation, person) => join(rotation, noon(MONDAY), person, zone),
    /** @type {Rotation} */ (EMPTY),
  );

/** @param {Rotation} rotation */
const names = (rotation, from = MONDAY, count = 4) =>
  plan(rotation, [], from, count).map(({ person }) => person?.name ?? null);

/** @param {Rotation} rotation */
const history = ({ history }) => history.map(({ day, person }) => [day, person?.name ?? null]);

test('the first person to join is on duty, and all others follow in the order in which they joined', () => {
  assert.deepEqual(names(team()), ['Anna', 'Ben', 'Cleo', 'Anna']);
  assert.deepEqual(
    team().log.map(({ change }) => change),
    [CLEO, BEN, ANNA].map((person) => ({ type: 'joined', person })),
  );
});

test('a person who joins or leaves later changes neither the duty of today nor the order of the others', () => {
  const two = team('UTC', [ANNA, BEN]);
  const three = join(two, noon(TUESDAY), CLEO, 'UTC');
  assert.deepEqual(names(three, TUESDAY), ['Ben', 'Anna', 'Cleo', 'Ben']);
  assert.deepEqual(names(leave(three, noon(TUESDAY), 'anna'), TUESDAY), ['Ben', 'Cleo', 'Ben', 'Cleo']);
});

test('if the person whose turn it is leaves, the next one is on duty', () => {
  const rotation = leave(team(), noon(TUESDAY), 'ben');
  assert.deepEqual(names(rotation, TUESDAY), ['Cleo', 'Anna', 'Cleo', 'Anna']);
  assert.equal(rotation.log.at(0)?.change.type, 'left');
});

test('the rotation is empty after everybody left, and begins again with the next person to join', () => {
  const empty = leave(team('Europe/London', [ANNA]), noon(TUESDAY), 'anna');
  assert.deepEqual([empty.people, 'turn' in empty, names(empty)], [[], false, [null, null, null, null]]);
  assert.equal(settled(empty, noon(WEDNESDAY)), empty);
  const again = join(empty, noon(WEDNESDAY), BEN, 'Australia/Sydney');
  assert.deepEqual([again.timeZone, names(again, WEDNESDAY, 1)], ['Australia/Sydney', ['Ben']]);
});

test('to join twice or to leave as a stranger changes nothing', () => {
  const rotation = team();
  assert.equal(join(rotation, noon(MONDAY), ANNA, 'UTC'), rotation);
  assert.equal(leave(rotation, noon(MONDAY), 'stranger'), rotation);
});

test('a rotation has at most 50 people', () => {
  const many = Array.from({ length: 50 }, (_, at) => ({ accountId: `a${at}`, name: `A ${at}` }));
  assert.throws(() => join(team('UTC', many), noon(MONDAY), ANNA, 'UTC'), Refusal);
});

test('the time zone is that of the first person to join, and decides the day', () => {
  const late = { now: Date.parse(`${MONDAY}T13:30:00Z`), absences: [] };
  const rotation = join(join(EMPTY, late, ANNA, 'Australia/Sydney'), late, BEN, 'UTC');
  assert.deepEqual([rotation.timeZone, rotation.turn?.day], ['Australia/Sydney', TUESDAY]);
  const seen = { day: TUESDAY, from: 'anna' };
  assert.equal(dutyOn(takeOver(rotation, late, 'ben', seen), [], TUESDAY).person, BEN);
  assert.throws(() => takeOver(rotation, late, 'ben', { ...seen, day: MONDAY }), /Australia\/Sydney/);
});

test('to take over gives the duty of today alone', () => {
  const rotation = takeOver(team(), noon(MONDAY), 'cleo', { day: MONDAY, from: 'anna' });
  assert.deepEqual(names(rotation), ['Cleo', 'Ben', 'Cleo', 'Anna']);
  assert.deepEqual(rotation.log.at(0)?.change, { type: 'tookOver', person: CLEO, from: ANNA });
  assert.deepEqual(history(rotation), [[MONDAY, 'Cleo']]);
  const back = takeOver(rotation, noon(MONDAY), 'anna', { day: MONDAY, from: 'cleo' });
  assert.deepEqual([names(back), back.exceptions], [['Anna', 'Ben', 'Cleo', 'Anna'], []]);
});

test('of two people who take over from the same person, the second is refused', () => {
  const seen = { day: MONDAY, from: 'anna' };
  const rotation = takeOver(team(), noon(MONDAY), 'ben', seen);
  assert.throws(() => takeOver(rotation, noon(MONDAY), 'cleo', seen), /Ben is on duty now/);
});

test('to take over is refused to strangers, to those away, to the person on duty, and after midnight', () => {
  const seen = { day: MONDAY, from: 'anna' };
  const away = noon(MONDAY, [absence('ben', MONDAY)]);
  for (const attempt of [
    () => takeOver(team(), noon(MONDAY), 'stranger', seen),
    () => takeOver(team(), away, 'ben', seen),
    () => takeOver(team(), noon(MONDAY), 'anna', seen),
    () => takeOver(team(), noon(TUESDAY), 'cleo', seen),
  ])
    assert.throws(attempt, Refusal);
});

test('if all are away, nobody is on duty until the first person is back', () => {
  const away = ['anna', 'ben'].map((accountId) => absence(accountId, MONDAY));
  const nobody = settled(team('UTC', [ANNA, BEN]), noon(MONDAY, away));
  assert.deepEqual(history(nobody), [[MONDAY, null]]);
  const back = settled(nobody, noon(MONDAY, [absence('anna', MONDAY)]));
  assert.deepEqual(history(back), [[MONDAY, 'Ben']]);
  assert.deepEqual(back.log.at(0)?.change, { type: 'returned', person: BEN, from: null });
});

const SWAP = { day: MONDAY, otherDay: WEDNESDAY, other: 'cleo' };

test('a swap exchanges two days, and is undone by a second swap', () => {
  const rotation = swap(team(), noon(MONDAY), 'anna', SWAP);
  assert.deepEqual(names(rotation), ['Cleo', 'Ben', 'Anna', 'Anna']);
  const back = swap(rotation, noon(MONDAY), 'cleo', { ...SWAP, other: 'anna' });
  assert.deepEqual([names(back), back.exceptions], [['Anna', 'Ben', 'Cleo', 'Anna'], []]);
});

test('the same swap made twice is made once, and the second is refused', () => {
  const rotation = swap(team(), noon(MONDAY), 'anna', SWAP);
  assert.throws(() => swap(rotation, noon(MONDAY), 'anna', SWAP), /another one now/);
});

for (const [what, wrong] of Object.entries({
  'of a stranger': { other: 'stranger' },
  'of an account id that is not text': { other: { accountId: 'cleo' } },
  'of an account id of a megabyte': { other: 'x'.repeat(1_000_000) },
  'of a day with oneself': { otherDay: '2026-11-26', other: 'anna' },
  'of a day that somebody else has': { day: TUESDAY },
  'of a day that is over': { otherDay: '2026-11-22', other: 'cleo' },
  'of a day after the next two weeks': { otherDay: '2026-12-07', other: 'cleo' },
  'of text that is no day': { otherDay: `${WEDNESDAY}${'x'.repeat(1_000_000)}` },
  'without days': { day: undefined, otherDay: undefined },
})) {
  test(`a swap ${what} is refused`, () => {
    assert.throws(() => swap(team(), noon(MONDAY), 'anna', { ...SWAP, ...wrong }), Refusal);
  });
}

test('a swap is refused to strangers, and if one of the two is away on the new day', () => {
  assert.throws(() => swap(team(), noon(MONDAY), 'stranger', SWAP), /not in this rotation/);
  for (const absences of [[absence('anna', WEDNESDAY)], [absence('cleo', MONDAY)]])
    assert.throws(() => swap(team(), noon(MONDAY, absences), 'anna', SWAP), /is away/);
});

test('a person who leaves gives back the days that they took over or swapped', () => {
  const rotation = leave(swap(team(), noon(MONDAY), 'anna', SWAP), noon(MONDAY), 'cleo');
  assert.deepEqual(rotation.exceptions, [{ day: WEDNESDAY, accountId: 'anna' }]);
});

test('an absence of today passes the duty to the next, and the log says why; so does its end', () => {
  const away = settled(team(), noon(MONDAY, [absence('anna', MONDAY)]));
  assert.deepEqual(away.log.at(0)?.change, { type: 'stoodIn', person: BEN, from: ANNA });
  assert.deepEqual(history(away), [[MONDAY, 'Ben']]);
  const back = settled(away, noon(MONDAY));
  assert.deepEqual(back.log.at(0)?.change, { type: 'returned', person: ANNA, from: BEN });
});

test('a rotation is the same object if there is nothing to store', () => {
  const rotation = team();
  assert.equal(settled(rotation, noon(MONDAY, [absence('cleo', MONDAY)])), rotation);
  assert.equal(settled(EMPTY, noon(MONDAY)), EMPTY);
});

test('the days on which nothing changed are stored with the first change after them', () => {
  const rotation = settled(team(), noon('2026-11-26', [absence('ben', TUESDAY)]));
  assert.deepEqual(history(rotation), [
    [MONDAY, 'Anna'],
    [TUESDAY, 'Cleo'],
    [WEDNESDAY, 'Cleo'],
    ['2026-11-26', 'Anna'],
  ]);
});

test('an absence that is added later does not rewrite the past', () => {
  const wednesday = settled(team(), noon(WEDNESDAY));
  const later = settled(wednesday, noon('2026-11-26', [absence('anna', MONDAY), absence('cleo', WEDNESDAY)]));
  assert.deepEqual(history(later).slice(0, 3), history(wednesday));
});

test('history, log and exceptions older than a week are dropped', () => {
  const month = Array.from({ length: 30 }, (_, at) => Date.parse(`${MONDAY}T12:00:00Z`) + at * DAY_MS);
  const rotation = month.reduce((before, now) => {
    const moment = { now, absences: [] };
    const open = settled(before, moment);
    const { day, person: from } = /** @type {import('../src/rotation/schedule.js').PastDay} */ (
      open.history.at(-1)
    );
    const taker = [ANNA, BEN].find(({ accountId }) => accountId !== from?.accountId) ?? ANNA;
    return takeOver(open, moment, taker.accountId, { day, from: from?.accountId });
  }, team());
  assert.equal(rotation.history.length, 8);
  assert.equal(rotation.log.length, 8);
  assert.ok(rotation.exceptions.length <= 1);
});

test('the log has at most 40 changes', () => {
  let rotation = team();
  for (let at = 0; at < 50; at++) {
    const [accountId, from] = at % 2 === 0 ? ['ben', 'anna'] : ['anna', 'ben'];
    rotation = takeOver(rotation, noon(MONDAY), accountId, { day: MONDAY, from });
  }
  assert.equal(rotation.log.length, 40);
});
