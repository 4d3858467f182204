import assert from 'node:assert/strict';
import test from 'node:test';
import { dayIn, isDay, knownTimeZone } from '../src/days.js';
import { dutyOn, EMPTY, plan } from '../src/rotation/schedule.js';

const [ANNA, BEN, CLEO] = ['Anna', 'Ben', 'Cleo'].map((name) => ({ accountId: name.toLowerCase(), name }));
const MONDAY = '2026-11-23';
const ROTATION = { ...EMPTY, people: [ANNA, BEN, CLEO], turn: { day: MONDAY, accountId: 'anna' } };

/** @param {string} accountId @param {string} from @param {string} to */
const absence = (accountId, from, to = from) =>
  /** @type {import('../src/absences.js').Absence} */ ({ id: '1', accountId, from, to });

/** @param {import('../src/rotation/schedule.js').Rotation} rotation */
const names = (rotation, absences = /** @type {any[]} */ ([]), count = 5, from = MONDAY) =>
  plan(rotation, absences, from, count).map(({ person }) => person?.name ?? null);

test('people take turns day by day, also before the day on which the turns are counted', () => {
  assert.deepEqual(names(ROTATION), ['Anna', 'Ben', 'Cleo', 'Anna', 'Ben']);
  assert.deepEqual(names(ROTATION, [], 4, '2026-11-20'), ['Anna', 'Ben', 'Cleo', 'Anna']);
  assert.deepEqual(names(EMPTY, [], 2), [null, null]);
});

test('a person who is away is skipped on these days only, and the turns of the others stay', () => {
  const away = [absence('ben', '2026-11-24', '2026-11-26')];
  assert.deepEqual(names(ROTATION, away, 6), ['Anna', 'Cleo', 'Cleo', 'Anna', 'Ben', 'Cleo']);
  assert.equal(dutyOn(ROTATION, away, '2026-11-24').planned, BEN);
});

test('the stand-in is the next in the order who is not away, and nobody if all are away', () => {
  assert.equal(dutyOn(ROTATION, [absence('anna', MONDAY), absence('ben', MONDAY)], MONDAY).person, CLEO);
  const all = ['anna', 'ben', 'cleo'].map((accountId) => absence(accountId, MONDAY));
  assert.equal(dutyOn(ROTATION, all, MONDAY).person, undefined);
  assert.equal(dutyOn(ROTATION, [absence('stranger', MONDAY)], MONDAY).person, ANNA);
});

test('an exception gives a day to another person, for whom others stand in', () => {
  const rotation = { ...ROTATION, exceptions: [{ day: MONDAY, accountId: 'cleo' }] };
  assert.equal(dutyOn(rotation, [], MONDAY).person, CLEO);
  assert.equal(dutyOn(rotation, [absence('cleo', MONDAY)], MONDAY).person, ANNA);
});

test('a day begins at midnight in the time zone, also on days with 23 and 25 hours', () => {
  const at = (/** @type {string} */ time) => Date.parse(time);
  assert.equal(dayIn('Europe/London', at('2026-11-26T23:59:59Z')), '2026-11-26');
  assert.equal(dayIn('Europe/London', at('2026-11-27T00:00:00Z')), '2026-11-27');
  assert.equal(dayIn('Australia/Sydney', at('2026-11-26T13:00:00Z')), '2026-11-27');
  assert.equal(dayIn('America/Los_Angeles', at('2026-11-26T07:59:59Z')), '2026-11-25');
  assert.equal(dayIn('Europe/London', at('2026-03-29T23:00:00Z')), '2026-03-30');
  assert.equal(dayIn('Europe/London', at('2026-10-25T23:59:59Z')), '2026-10-25');
});

test('a time zone that the runtime does not know is UTC', () => {
  assert.equal(knownTimeZone('Europe/London'), 'Europe/London');
  for (const unknown of ['Mars/Olympus', '', undefined, 7, 'x'.repeat(1_000_000)])
    assert.equal(knownTimeZone(unknown), 'UTC');
});

test('a day is text of the form YYYY-MM-DD that a calendar has', () => {
  assert.ok(isDay('2028-02-29'));
  for (const wrong of ['2026-02-29', '2026-13-01', '2026-1-01', ' 2026-01-01', 20260101, null])
    assert.equal(isDay(wrong), false, String(wrong));
});
