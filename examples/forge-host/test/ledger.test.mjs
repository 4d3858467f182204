import assert from 'node:assert/strict';
import test from 'node:test';
import { Ledger } from '../pages/ledger.mjs';

const PEOPLE = [
  { publisher: 'anna', dashboard: '1' },
  { publisher: 'ben', dashboard: '1' },
  { publisher: 'cleo', dashboard: '2' },
];

/** @param {[string, import('../pages/ledger.mjs').Report][]} reports */
function ledgerOf(...reports) {
  const ledger = new Ledger(PEOPLE);
  for (const [publisher, report] of reports) ledger.add(publisher, report);
  return ledger;
}

/** @param {number} sequence @returns {[string, import('../pages/ledger.mjs').Report]} */
const accepted = (sequence) => ['anna', { type: 'accepted', sequence }];

/** @param {string} person @param {number} sequence @returns {[string, import('../pages/ledger.mjs').Report]} */
const received = (person, sequence) => [person, { type: 'received', publisher: 'anna', sequence }];

test('events of a dashboard are published to everybody on it, and to nobody else', () => {
  const ledger = ledgerOf(accepted(1), received('anna', 1), received('ben', 1));
  assert.deepEqual(
    PEOPLE.map(({ publisher }) => ledger.counts(publisher).published),
    [1, 1, 0],
  );
  assert.equal(ledger.counts('ben').received, 1);
});

test('an event that may still arrive is on the way, and missed once a later one has arrived', () => {
  const before = ledgerOf(accepted(1), accepted(2));
  const after = ledgerOf(accepted(1), accepted(2), received('ben', 2));
  const shown = ({ underway = 0, missed = 0 }) => [underway, missed];
  assert.deepEqual(shown(before.counts('ben')), [2, 0]);
  assert.deepEqual(shown(after.counts('ben')), [0, 1]);
});

test('an event that only one of two received was published, whatever its publisher was told', () => {
  const ledger = ledgerOf(
    ['anna', { type: 'sent', sequence: 1 }],
    ['anna', { type: 'refused', sequence: 1, reason: 'UNREACHABLE' }],
    received('anna', 1),
    accepted(2),
    received('ben', 2),
  );
  assert.equal(ledger.counts('ben').missed, 1);
  assert.equal(ledger.counts('anna').refused, 1);
});

test('an event that a relay refused and nobody received is not missed', () => {
  const ledger = ledgerOf(
    ['anna', { type: 'sent', sequence: 1 }],
    ['anna', { type: 'refused', sequence: 1, reason: 'BROKER_UNAVAILABLE' }],
    accepted(2),
    received('ben', 2),
  );
  assert.equal(ledger.counts('ben').missed, 0);
  assert.equal(ledger.counts('ben').published, 1);
});

test('an event that arrives again is repeated, and one after a later one is out of order', () => {
  const ledger = ledgerOf(received('ben', 2), received('ben', 2), received('ben', 1), received('ben', 1));
  const { received: different, repeated, reordered, missed } = ledger.counts('ben');
  assert.deepEqual([different, repeated, reordered, missed], [2, 2, 1, 0]);
});

test('an event of another dashboard has strayed, and one of another window is not counted', () => {
  const ledger = ledgerOf(received('cleo', 1), [
    'ben',
    { type: 'received', publisher: 'anna in another window', sequence: 7 },
  ]);
  assert.equal(ledger.counts('cleo').strayed, 1);
  assert.deepEqual(ledger.counts('ben').received, 0);
});

test('an event without an answer is unanswered, and the gaps of the SDK are counted apart', () => {
  const ledger = ledgerOf(
    ['ben', { type: 'sent', sequence: 1 }],
    ['ben', { type: 'sent', sequence: 2 }],
    ['ben', { type: 'accepted', sequence: 1 }],
    ['ben', { type: 'gap', reason: 'messages were missed' }],
  );
  const { unanswered, gaps, missed } = ledger.counts('ben');
  assert.deepEqual([unanswered, gaps, missed], [1, 1, 0]);
});
