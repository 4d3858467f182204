// The comparisons of 64 bits that are replaced with calls, evaluated before and after. `cargo xtask test plain-js` runs it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'acorn';
import { wideComparisons } from './wide-comparisons.mjs';

/** Returns an expression with its comparisons replaced, and the functions that it calls. */
function replaced(source) {
  const { edits, functions } = wideComparisons(parse(source, { ecmaVersion: 2022 }), source);
  const [[start, end, text] = [0, 0, '']] = edits;
  return { source: source.slice(0, start) + text + source.slice(end), functions, count: edits.length };
}

const evaluator = (source, functions = '') =>
  new Function('a', 'b', 'c', 'd', 'HEAPU32', `${functions} return ${source};`);

const HALVES = [0, 1, 2, 0x7fffffff, -0x80000000, -2, -1];
const number = (lower, upper) => (BigInt(upper >>> 0) << 32n) | BigInt(lower >>> 0);

// `a` and `c` are the lower halves, `b` and `d` the upper ones.
const COMPARISONS = [
  ['(b | 0) == (d | 0) & a >>> 0 < c >>> 0 | b >>> 0 < d >>> 0', (one, other) => one < other],
  ['(d | 0) == (b | 0) & a >>> 0 < c >>> 0 | d >>> 0 > b >>> 0', (one, other) => one < other],
  ['(b | 0) == (d | 0) & a >>> 0 > c >>> 0 | b >>> 0 > d >>> 0', (one, other) => one > other],
  ['(b | 0) == (d | 0) & c >>> 0 >= a >>> 0 | d >>> 0 > b >>> 0', (one, other) => one <= other],
  ['(b | 0) == (d | 0) & a >>> 0 >= c >>> 0 | d >>> 0 < b >>> 0', (one, other) => one >= other],
];

test('a comparison of 64 bits is replaced and has the same result', () => {
  for (const [source, expected] of COMPARISONS) {
    const { source: call, functions, count } = replaced(source);
    assert.equal(count, 1, source);
    const [before, after] = [evaluator(source), evaluator(call, functions)];
    for (const a of HALVES) {
      for (const b of HALVES) {
        for (const c of HALVES) {
          for (const d of HALVES) {
            const result = Number(expected(number(a, b), number(c, d)));
            assert.deepEqual([before(a, b, c, d), after(a, b, c, d)], [result, result]);
          }
        }
      }
    }
  }
});

test('constants and loads are operands', () => {
  const source = '(b | 0) == 7 & HEAPU32[a + 4 >> 2] <= 9 | b >>> 0 < 7';
  const { source: call, functions, count } = replaced(source);
  assert.equal(count, 1);
  const memory = Uint32Array.of(0, 8, 9, 10, 0xffffffff);
  for (const a of [0, 4, 8, 12]) {
    for (const b of [...HALVES, 6, 7, 8]) {
      const [before, after] = [evaluator(source), evaluator(call, functions)];
      assert.equal(after(a, b, 0, 0, memory), before(a, b, 0, 0, memory));
    }
  }
});

test('expressions that only resemble a comparison stay', () => {
  for (const source of [
    '(b | 0) == (d | 0) & (a | 0) < (c | 0) | b >>> 0 < d >>> 0',
    '(b | 0) == (d | 0) & a >>> 0 < c >>> 0 | (b | 0) < (d | 0)',
    '(b | 0) == (d | 0) & a >>> 0 < c >>> 0 | b >>> 0 <= d >>> 0',
    '(b | 0) == (a | 0) & a >>> 0 < c >>> 0 | b >>> 0 < d >>> 0',
    '(b | 0) == (d | 0) & a >>> 0 < c >>> 0 | b >>> 1 < d >>> 0',
    '(b | 0) == (d | 0) & f() >>> 0 < c >>> 0 | b >>> 0 < d >>> 0',
  ]) {
    assert.equal(replaced(source).count, 0, source);
  }
});
