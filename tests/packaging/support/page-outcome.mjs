// Runs a built page under several policies, and asserts which build of the core it loads.

import assert from 'node:assert/strict';

import { runPage } from './chromium.mjs';

/** The second argument has the names of the files with the two builds. */
export async function assertPageWorks(folder, { wasmChunk, jsChunk }) {
  const forge = await runPage(folder, `default-src 'self'; script-src 'self'`);
  assert.deepEqual(forge.outcome, { core: 'js', failure: 'SESSION_UNAVAILABLE', untouched: true });
  assert.ok(forge.requested.includes(jsChunk), `${forge.requested}`);
  assert.ok(!forge.requested.includes(wasmChunk), 'the WebAssembly build was fetched although it cannot run');

  for (const source of [`'wasm-unsafe-eval'`, `'unsafe-eval'`]) {
    const allowed = await runPage(folder, `default-src 'self'; script-src 'self' ${source}`);
    assert.deepEqual(allowed.outcome, { core: 'wasm', failure: 'SESSION_UNAVAILABLE', untouched: true });
    assert.ok(allowed.requested.includes(wasmChunk), `${allowed.requested}`);
    assert.ok(
      !allowed.requested.includes(jsChunk),
      'the plain JavaScript build was fetched although it is not needed',
    );
  }
}

/** Asserts the outcome of app/react-page.mjs. */
export async function assertHooksWork(folder) {
  const { outcome } = await runPage(folder, `default-src 'self'; script-src 'self'`);
  assert.deepEqual(outcome, { core: 'js', failure: 'PERMISSION_MISSING', usesDefault: true });
}
