// `sealwire migrate` changes every form of an import, and reports those that it cannot change.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { transformSync } from 'esbuild';

import { migrateFile } from '../../src/migrate/migrate-file.js';
import { FUNCTION_FORMS } from './function-forms.js';
import { PAGE_FORMS } from './page-forms.js';

for (const [place, forms] of [
  ['page', PAGE_FORMS],
  ['function', FUNCTION_FORMS],
] as const) {
  for (const { name, file, before, after, lines = [] } of forms) {
    test(`in a ${place}, the migration handles ${name}`, () => {
      const path = `src/file.${file}`;
      const { document, text } = migrateFile(path, before);
      assert.equal(text, after ?? before);
      const places = document.findings.filter(({ rule }) => rule === 'place');
      assert.deepEqual(
        places.map(({ line }) => line),
        lines,
        JSON.stringify(places),
      );

      const again = migrateFile(path, text);
      assert.equal(again.text, text, 'a second run changes nothing');
      // Flow and JSX are no JavaScript for Node.
      const loader = /^[cm]?ts$/.test(file) ? 'ts' : file === 'tsx' ? 'tsx' : 'jsx';
      if (!before.includes('@flow')) transformSync(text, { loader, supported: { 'top-level-await': true } });
    });
  }
}
