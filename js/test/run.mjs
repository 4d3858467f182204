// Runs the TypeScript tests of this folder with node --test. It bundles each test file without its packages.
// Usage: node js/test/run.mjs [name of a test file]

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
// The folder is inside the package, so that the bundles find its dependencies.
const out = path.join(here, '..', 'dist', 'test');
const only = process.argv[2] ?? '';

function tests(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return tests(file);
    return entry.name.endsWith('.test.ts') && file.includes(only) ? [file] : [];
  });
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await esbuild.build({
  entryPoints: tests(here),
  outdir: out,
  outbase: here,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const files = tests(here).map((file) => path.join(out, path.relative(here, file).replace(/\.ts$/, '.mjs')));
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], {
  stdio: 'inherit',
  cwd: path.dirname(here),
});
process.exit(status ?? 1);
