// Runs the vector check in the plain JavaScript build of the core. `cargo xtask test` builds it and sets
// SEALWIRE_VECTORS_CORE to its path.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

test('the build without WebAssembly agrees with every vector', async () => {
  const path = process.env.SEALWIRE_VECTORS_CORE;
  assert.ok(path, 'SEALWIRE_VECTORS_CORE is not set; run this test with `cargo xtask test plain-js`');
  const { load } = await import(pathToFileURL(path).href);
  // Without this global, the test cannot pass with the WebAssembly build.
  delete globalThis.WebAssembly;
  const core = await load();
  const files = core.checkVectors().trim().split('\n');
  assert.equal(files.length, 11);
  for (const file of files) assert.match(file, /^[a-z0-9-]+: [1-9]\d*$/);
});
