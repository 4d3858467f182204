// Forge's own bundler.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { forgeProcess } from './forge-process.mjs';

const ask = forgeProcess('forge-bundle.cjs');

/**
 * Bundles functions, of which `entry` is the module in `src`, or a page, of which it is the file. Returns the folder of the bundle
 * as `out`, and the bundler's complaints. With `worker`, it also bundles a page for a web worker, in the subfolder `__worker__`.
 */
export function runBundler(what, folder, entry, { worker = false } = {}) {
  const temporary = path.join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return ask({
    what,
    folder,
    entry,
    env: { TMPDIR: temporary, EXP_FORGE_UI_WORKER_RUNTIME: String(worker) },
  });
}

/** Bundles, and returns the folder of the bundle. Fails if the bundler reports an error. */
export async function bundle(what, folder, entry, options) {
  const { out, complaints } = await runBundler(what, folder, entry, options);
  assert.ok(out, complaints);
  return out;
}
