// The names that the migration moves are those that Forge's packages export for Forge Realtime, and `sealwire` has all of them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { MOVED } from '../../src/migrate/rules.js';

// The bundle of this test is in js/dist/test/migrate.
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** The names in the braces of the exports of a file, without `type` and comments. */
function exportsOf(file: string): string[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const named = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names]) => names!.split(','));
  const declared = [...text.matchAll(/export const (\w+)/g)].map(([, name]) => name!);
  return [...named.map((name) => name.trim().replace(/^type /, '')), ...declared].filter(
    (name) => name !== '',
  );
}

test('the bridge exports for Forge Realtime what the migration moves, and nothing else', () => {
  assert.deepEqual(exportsOf('node_modules/@forge/bridge/out/realtime/index.d.ts').sort(), [...MOVED].sort());
});

test('sealwire has every moved name, and sealwire/realtime every name of @forge/realtime', () => {
  const page = exportsOf('js/src/index.ts');
  assert.deepEqual(
    [...MOVED].filter((name) => !page.includes(name)),
    [],
  );
  const functions = exportsOf('js/src/resolver.ts');
  const forge = exportsOf('node_modules/@forge/realtime/out/index.d.ts');
  assert.ok(forge.length >= 6);
  assert.deepEqual(
    forge.filter((name) => !functions.includes(name)),
    [],
  );
});
