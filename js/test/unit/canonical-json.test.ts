// The canonical form of claims is that of RFC 8785, as the vectors that Rust wrote have it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { canonicalJson } from '../../src/arguments/canonical-json.js';
import { isError } from '../support/rejects.js';

const VECTORS = path.resolve('..', 'tests', 'vectors', 'keys.json');

function canonical(json: string): string {
  return canonicalJson(JSON.parse(json));
}

/** Returns the JSON of an object that contains the rest of `depth` objects and arrays within one another. */
function nested(depth: number): string {
  return `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
}

test('claims have the canonical form of the vectors', () => {
  const cases = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
    claims: string | null;
    canonical_claims: string | null;
  }[];
  const withClaims = cases.filter(({ claims }) => claims !== null);
  assert.ok(withClaims.length > 1);
  for (const { claims, canonical_claims: expected } of withClaims) assert.equal(canonical(claims!), expected);
});

test('the names of every object are sorted by their UTF-16 code units', () => {
  assert.equal(
    canonical('{"b":{"10":1,"9":2,"__proto__":3},"a":[{"é":1,"z":2}]}'),
    '{"a":[{"z":2,"é":1}],"b":{"10":1,"9":2,"__proto__":3}}',
  );
  // U+1F600 begins with the code unit d83d, which is before fb33, though its code point is the larger one.
  assert.equal(canonical('{"\ufb33":1,"\u{1f600}":2}'), '{"\u{1f600}":2,"\ufb33":1}');
});

test('numbers and texts have the shortest form', () => {
  for (const [json, expected] of [
    [
      '[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]',
      '[333333333.3333333,1e+30,4.5,0.002,1e-27]',
    ],
    ['[-0.0,9007199254740993]', '[0,9007199254740992]'],
    ['["\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"]', '["€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"]'],
    [' [ null , true , false , { } ] ', '[null,true,false,{}]'],
  ] as const) {
    assert.equal(canonical(json), expected);
  }
});

test('values within more than 127 objects and arrays are refused', () => {
  assert.equal(canonical(nested(127)), nested(127));
  assert.throws(
    () => canonical(nested(128)),
    isError('INVALID_ARGUMENT', /nested too deeply: the limit is 127/),
  );
});
