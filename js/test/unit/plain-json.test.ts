// The content of a payload: each value arrives as it was sent, or is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';

import { parsePayload, serialisePayload } from '../../src/arguments/payload.js';
import { isError } from '../support/rejects.js';

class Person {
  name = 'Ada';
  nick = undefined;
}

class Hidden {
  #name = 'Ada';
  get name() {
    return this.#name;
  }
}

class Told {
  toJSON() {
    return { told: true };
  }
}

class Query {
  table = 'notes';
  then() {}
}

function regExpMatch(): unknown {
  return /a/.exec('a');
}

const sparse = [1, , 3]; // eslint-disable-line no-sparse-arrays

const LOST: [name: string, value: unknown, why: RegExp][] = [
  ['Map', new Map([['a', 1]]), /kind Map.*Object\.fromEntries/],
  ['Set', new Set([1]), /kind Set.*\[\.\.\.set\]/],
  ['WeakMap', new WeakMap(), /kind WeakMap.*plain object/],
  ['WeakSet', new WeakSet(), /kind WeakSet/],
  ['WeakRef', new WeakRef({}), /kind WeakRef/],
  ['ArrayBuffer', new ArrayBuffer(4), /kind ArrayBuffer.*base64/],
  ['SharedArrayBuffer', new SharedArrayBuffer(4), /kind SharedArrayBuffer/],
  ['DataView', new DataView(new ArrayBuffer(4)), /kind DataView.*base64/],
  ['Uint8Array', new Uint8Array([1, 2]), /kind Uint8Array.*base64/],
  ['Float64Array', new Float64Array([1]), /kind Float64Array/],
  ['BigInt64Array', new BigInt64Array([1n]), /kind BigInt64Array/],
  ['Blob', new Blob(['x']), /kind Blob.*base64/],
  ['File', new File(['x'], 'x'), /kind File/],
  ['FormData', new FormData(), /kind FormData/],
  ['Headers', new Headers({ a: 'b' }), /kind Headers/],
  ['URLSearchParams', new URLSearchParams('a=b'), /kind URLSearchParams/],
  ['Response', new Response('x'), /kind Response/],
  ['Event', new Event('click'), /kind Event/],
  ['Error', new Error('x'), /kind Error.*error\.message/],
  ['Error with a code', Object.assign(new TypeError('x'), { code: 'E' }), /kind Error/],
  ['DOMException', new DOMException('x'), /kind DOMException/],
  ['RegExp', /x/, /kind RegExp/],
  ['Promise', Promise.resolve({ a: 1 }), /kind Promise.*Await/],
  ['thenable', new Query(), /thenable.*Await/],
  ['function', () => 1, /a function/],
  ['class', Person, /a function/],
  ['symbol', Symbol('x'), /a symbol/],
  ['BigInt', 1n, /a BigInt.*text/],
  ['boxed BigInt', Object(1n), /kind BigInt/],
  ['NaN', NaN, /is NaN.*null/],
  ['Infinity', Infinity, /is Infinity/],
  ['-Infinity', -Infinity, /is -Infinity/],
  ['boxed NaN', new Number(NaN), /is NaN/],
  ['invalid Date', new Date(NaN), /invalid Date/],
  ['class instance with private fields', new Hidden(), /instance of a class.*toJSON/],
  ['iterator', [1].values(), /instance of a class/],
  ['generator', (function* () {})(), /instance of a class/],
  ['object with a symbol as a name', { [Symbol('x')]: 1 }, /named by a symbol/],
  ['array with named properties', regExpMatch(), /named properties/],
  [
    'arguments',
    (function (..._: unknown[]) {
      return arguments;
    })(1),
    /kind Arguments/,
  ],
  ['toJSON() that returns nothing', { toJSON() {} }, /toJSON\(\) that returns nothing/],
  ['Map of another realm', vm.runInNewContext('new Map()'), /kind Map/],
  ['Error of another realm', vm.runInNewContext('new Error("x")'), /kind Error/],
];

for (const [name, value, why] of LOST) {
  test(`${name} is refused, however deep it is`, () => {
    assert.throws(
      () => serialisePayload({ list: [{ 'the owner': value }] }),
      isError('INVALID_ARGUMENT', new RegExp(`^payload\\.list\\[0\\]\\["the owner"\\] .*${why.source}`)),
    );
    assert.throws(() => serialisePayload([value]), isError('INVALID_ARGUMENT', /an array/));
    if (typeof value === 'object' && !Array.isArray(value)) {
      assert.throws(
        () => serialisePayload(value),
        isError('INVALID_ARGUMENT', new RegExp(`^payload .*${why.source}`)),
      );
    }
  });
}

test('undefined and holes are refused in arrays, in which they would become null', () => {
  assert.throws(
    () => serialisePayload({ list: [1, undefined] }),
    isError('INVALID_ARGUMENT', /^payload\.list\[1\] is undefined, which JSON turns into null/),
  );
  assert.throws(
    () => serialisePayload({ sparse }),
    isError('INVALID_ARGUMENT', /^payload\.sparse\[1\] is a hole/),
  );
});

test('a cycle is refused with its path, and an object that occurs twice is not', () => {
  const cycle: Record<string, unknown> = { a: { b: [] } };
  (cycle['a'] as { b: unknown[] }).b.push(cycle);
  assert.throws(
    () => serialisePayload(cycle),
    isError('INVALID_ARGUMENT', /^payload\.a\.b\[0\] is an object that contains itself/),
  );
  const shared = { x: [1] };
  const twice = { one: shared, two: [shared, shared] };
  assert.deepEqual(parsePayload(serialisePayload(twice)), twice);
});

test('all other values pass as JSON', () => {
  const url = new URL('https://a.example/');
  for (const [sent, arrives] of [
    [{ at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    [{ url }, { url: url.href }],
    [{ gone: undefined, kept: null }, { kept: null }],
    [new Person(), { name: 'Ada' }],
    [{ told: new Told() }, { told: { told: true } }],
    [new Told(), { told: true }],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      { a: Object(1), b: Object('x'), c: Object(false) },
      { a: 1, b: 'x', c: false },
    ],
    [vm.runInNewContext('({ a: [{}, []] })'), { a: [{}, []] }],
    [
      { zero: -0, big: 1e308, text: '\ud800', '': '' },
      { zero: 0, big: 1e308, text: '\ud800', '': '' },
    ],
    [
      { empty: {}, none: [] },
      { empty: {}, none: [] },
    ],
    [{ bytes: Buffer.from('x') }, { bytes: { type: 'Buffer', data: [120] } }],
    [Object('text'), 'text'],
  ] as const) {
    assert.deepEqual(parsePayload(serialisePayload(sent)), arrives);
  }
});

test('the result of toJSON() is checked in place of its object, and may be the whole payload', () => {
  const inner = { toJSON: () => ({ when: NaN }) };
  assert.throws(
    () => serialisePayload({ inner }),
    isError('INVALID_ARGUMENT', /^payload\.inner\.when is NaN/),
  );
  for (const whole of [[1], 7, null, true]) {
    assert.throws(
      () => serialisePayload({ toJSON: () => whole }),
      isError('INVALID_ARGUMENT', /toJSON\(\) must return a string or a JSON object/),
    );
  }
});

test('an exception of the app’s toJSON() keeps its message, and endless nesting has an error', () => {
  const failing = {
    get a() {
      throw new Error('of the app');
    },
  };
  assert.throws(() => serialisePayload(failing), isError('INVALID_ARGUMENT', /payload cannot.*of the app/));
  const endless = { toJSON: () => ({ endless }) };
  assert.throws(
    () => serialisePayload({ endless }),
    isError('INVALID_ARGUMENT', /nested too deeply|part of/),
  );
});

test('the path in an error is bounded', () => {
  const long = 'x'.repeat(100_000);
  let value: unknown = NaN;
  for (let depth = 0; depth < 50; depth += 1) value = { [long]: value };
  assert.throws(
    () => serialisePayload({ value }),
    (error: Error) => error.message.length < 400,
  );
});
