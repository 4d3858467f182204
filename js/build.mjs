// Builds pkg/dist from src: bundles for `import` and `require`, and the declarations for both. `cargo xtask package` calls it
// after it has written src/generated. Usage: node js/build.mjs [--out <folder>]

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { bundle, ENTRIES } from './build/bundle.mjs';
import { declarations } from './build/declarations.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const { values } = parseArgs({
  options: { out: { type: 'string', default: path.join(root, 'pkg', 'dist') } },
});
const out = path.resolve(values.out);

for (const core of ['core-wasm.js', 'core-js.js', 'core-resolver.js']) {
  if (!existsSync(path.join(here, 'src', 'generated', core))) {
    console.error(`js/src/generated/${core} is missing. Run \`cargo xtask package\`, which creates it.`);
    process.exit(1);
  }
}

rmSync(out, { recursive: true, force: true });
await bundle(path.join(here, 'src'), out);

const emitted = mkdtempSync(path.join(tmpdir(), 'sealwire-types-'));
try {
  const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(
    'package.json',
    'bin/tsc',
  );
  const project = path.join(here, 'tsconfig.json');
  const options = ['--emitDeclarationOnly', '--declaration', '--outDir', emitted];
  const { status } = spawnSync(process.execPath, [tsc, '-p', project, ...options], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  declarations(
    emitted,
    path.join(out, 'types'),
    ENTRIES.map((name) => `${name}.d.ts`),
  );
} finally {
  rmSync(emitted, { recursive: true, force: true });
}

for (const name of readdirSync(root).filter((file) => /^LICENSE/.test(file))) {
  cpSync(path.join(root, name), path.join(out, name));
}
