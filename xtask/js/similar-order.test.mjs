// The order of a core's functions. `cargo xtask test plain-js` runs it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { similarOrder } from './similar-order.mjs';

/** Returns a text of random letters. The same seed gives the same text. */
function letters(seed, length) {
  let state = seed;
  const next = () => (state = (state * 48_271) % 0x7fffffff);
  return Array.from({ length }, () => String.fromCharCode(97 + (next() % 26))).join('');
}

// Families of five functions whose first half is the same, and which are farther from each other than zlib's window.
const FAMILIES = 20;
const families = Array.from({ length: FAMILIES }, (_, family) => letters(family + 1, 1_000));
const functions = Array.from(
  { length: 5 * FAMILIES },
  (_, index) => families[index % FAMILIES] + letters(index + 100, 1_000),
);

test('every function has one place', () => {
  const order = similarOrder(functions);
  assert.deepEqual(
    [...order].sort((one, other) => one - other),
    [...functions.keys()],
  );
});

test('similar functions are neighbours, which zlib compresses better', () => {
  const order = similarOrder(functions);
  const changes = order.slice(1).filter((index, place) => index % FAMILIES !== order[place] % FAMILIES);
  assert.equal(changes.length, FAMILIES - 1);
  const size = (texts) => deflateSync(texts.join(''), { level: 9 }).length;
  const [before, after] = [size(functions), size(order.map((index) => functions[index]))];
  assert.ok(after < before * 0.8, `${after} bytes instead of ${before}`);
});

test('functions without anything in common are all kept', () => {
  const different = Array.from({ length: 20 }, (_, index) => letters(index + 7, 40));
  assert.equal(new Set(similarOrder(different)).size, 20);
  assert.deepEqual(similarOrder(['f']), [0]);
});
