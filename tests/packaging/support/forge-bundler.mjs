// Runs Forge's own bundler on a project, in a process of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('forge-bundle.cjs', import.meta.url));

/**
 * Bundles, and returns the folder of the bundle as `out`, or the bundler's complaints. With `worker`, it also bundles a page for
 * a web worker, in the subfolder `__worker__`.
 */
export function runBundler(what, folder, entry, { worker = false } = {}) {
  const TMPDIR = path.join(folder, 'tmp');
  mkdirSync(TMPDIR, { recursive: true });
  const env = { ...process.env, TMPDIR, EXP_FORGE_UI_WORKER_RUNTIME: String(worker) };
  const { stdout, stderr } = spawnSync(process.execPath, [script, what, folder, entry], {
    env,
    encoding: 'utf8',
  });
  return { out: stdout.trim(), stderr };
}

/** Bundles, and returns the folder of the bundle. Fails if the bundler reports an error. */
export function bundle(what, folder, entry, options) {
  const { out, stderr } = runBundler(what, folder, entry, options);
  assert.ok(out, stderr);
  return out;
}
