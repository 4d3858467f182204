// The accesses to memory that are replaced with calls, run before and after. `cargo xtask test plain-js` runs it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'acorn';
import { wideAccesses } from './wide-accesses.mjs';

/** Returns a statement with its accesses replaced, and the functions that it calls. */
function replaced(statements) {
  const source = `{ ${statements} }`;
  const { edits, functions } = wideAccesses(parse(source, { ecmaVersion: 2022 }));
  let [result, position] = ['', 0];
  for (const [start, end, text] of edits.sort((one, other) => one[0] - other[0])) {
    assert.ok(start >= position, 'no edit is inside another');
    result += source.slice(position, start) + text;
    position = end;
  }
  return { body: result + source.slice(position), functions, count: edits.length };
}

/** Runs statements on 128 bytes of memory. `a`, `b` and `c` are variables. Returns the memory and the variables. */
function run(body, functions = '') {
  const bytes = Uint8Array.from({ length: 128 }, (_, index) => (index * 37 + 201) % 256);
  const program = new Function(
    'HEAP8',
    'HEAPU8',
    'HEAP32',
    `${functions} var a = 8, b = 64, c = -1234567890; ${body} return [a, b, c];`,
  );
  const views = [Int8Array, Uint8Array, Int32Array].map((View) => new View(bytes.buffer));
  return { variables: program(...views), bytes };
}

/** Asserts that the statements do the same after so many replacements. */
function assertSame(statements, count) {
  const { body, functions, count: made } = replaced(statements);
  assert.equal(made, count, body);
  assert.deepEqual(run(body, functions), run(`{ ${statements} }`));
}

const load = (base, offset) =>
  [0, 1, 2, 3]
    .map((byte) => `HEAPU8[${base} + ${offset + byte} | 0]${byte > 0 ? ` << ${8 * byte}` : ''}`)
    .join(' | ')
    .replace(/\| (\S+ \+ \d+ \| 0\] << 16 .*)$/, '| ($1)');
const store = (base, offset, value) =>
  [0, 1, 2, 3]
    .map((byte) => `HEAP8[${base} + ${offset + byte} | 0] = ${value}${byte > 0 ? ` >>> ${8 * byte}` : ''};`)
    .join(' ');
const copy = (to, toOffset, from, fromOffset, upper = 'c') =>
  `${upper} = HEAP32[${from} + ${fromOffset + 4} >> 2]; ` +
  `HEAP32[${to} + ${toOffset} >> 2] = HEAP32[${from} + ${fromOffset} >> 2]; ` +
  `HEAP32[${to} + ${toOffset + 4} >> 2] = ${upper};`;

test('four bytes that are read as a word become a call', () => {
  assertSame(`c = ${load('a', 3)};`, 1);
  assertSame(`c = (${load('b', 9)}) ^ (${load('a', 1)});`, 2);
  assertSame(
    'c = HEAPU8[a | 0] | HEAPU8[a + 1 | 0] << 8 | (HEAPU8[a + 2 | 0] << 16 | HEAPU8[a + 3 | 0] << 24);',
    1,
  );
});

test('four bytes that are written of a word become a call', () => {
  assertSame(store('a', 5, 'c'), 1);
  assertSame(`${store('a', 5, 'c')} ${store('b', 1, 'a')} a = 1;`, 2);
});

test('copies of eight bytes become a call, upwards and downwards', () => {
  assertSame(copy('a', 8, 'b', 16), 1);
  assertSame([0, 8, 16].map((offset) => copy('a', offset, 'b', 8 + offset)).join(' '), 1);
  assertSame([16, 8, 0].map((offset) => copy('a', offset, 'b', 8 + offset)).join(' '), 1);
  // The regions of these overlap, so the direction matters.
  assertSame([0, 8, 16].map((offset) => copy('a', offset, 'a', 8 + offset)).join(' '), 1);
  assertSame([16, 8, 0].map((offset) => copy('a', 8 + offset, 'a', offset)).join(' '), 1);
  assertSame([0, 16].map((offset) => copy('a', offset, 'b', offset)).join(' '), 2);
});

test('accesses that only resemble these stay', () => {
  assertSame(`c = ${load('a', 3).replace('a + 5', 'a + 6')};`, 0);
  assertSame(`c = ${load('a', 3).replace('a + 5', 'b + 5')};`, 0);
  assertSame(store('a', 5, 'c').replace('>>> 16', '>>> 17'), 0);
  assertSame(store('a', 5, 'c').replace('= c >>> 24', '= b >>> 24'), 0);
  assertSame(copy('a', 8, 'b', 16, 'a'), 0);
  assertSame(copy('a', 8, 'b', 16, 'b'), 0);
  assertSame(copy('a', 8, 'b', 16).replace('a + 12', 'a + 16'), 0);
});
