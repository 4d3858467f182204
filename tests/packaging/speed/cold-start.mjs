// Measures the cold start of a Forge function: in fresh processes, one with an empty function and one that imports the package and
// mints its first session, in turn. Forge's own bundler makes both. `cargo xtask client-speed --resolver` runs it.
// Usage: node cold-start.mjs [--rounds 25] [--node 20 --node 22] [--baseline <tarball of another build>]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

import { bundle } from '../support/forge-bundler.mjs';
import { project, root } from '../support/project.mjs';
import { EMPTY, MAKE_SECRET, SESSION } from './functions.mjs';
import { median } from '../../e2e/speed/median.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    node: { type: 'string', multiple: true, default: [] },
    baseline: { type: 'string' },
  },
});
const ROUNDS = Number(values.rounds);
const probe = fileURLToPath(new URL('probe.cjs', import.meta.url));

/** Returns the program of a major version of Node.js, which npm installs below target/ at the first use. */
function nodeOf(major) {
  const folder = path.join(root, 'target', 'tools', `node-${major}`);
  const program = path.join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    const install = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder];
    execFileSync('npm', [...install, `node@${major}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return program;
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** Runs a function in a new process, and returns the milliseconds of its phases. */
function run(program, file, options) {
  return JSON.parse(execFileSync(program, [probe, file, ...options], { encoding: 'utf8' }));
}

/** Measures the functions in turn, and prints the differences between the medians and that of the empty function. */
function compare(program, files, options, title) {
  const runs = new Map(files.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, file } of files) runs.get(name).push(run(program, file, options));
  }
  const phase = (name, wanted) => median(runs.get(name).map((times) => times[wanted]));
  for (const { name } of files.slice(1)) {
    const above = (wanted) => (phase(name, wanted) - phase('empty', wanted)).toFixed(1).padStart(5);
    console.log(
      `${title.padEnd(36)}${name.padEnd(12)}${above('total')} ms: import ${above('imported')}, session ${above('session')}; ` +
        `${above('cpu')} ms of CPU`,
    );
  }
}

/** Bundles a function of a project with this tarball of the package. */
async function bundled(scope, name, tarball) {
  const files = { 'src/empty.js': EMPTY, 'src/session.js': SESSION, 'src/make-secret.js': MAKE_SECRET };
  const tarballs = tarball && { tarballs: [path.resolve(tarball)] };
  const folder = project(scope, {
    files,
    packages: ['@forge/kvs'],
    manifest: { type: 'module' },
    ...tarballs,
  });
  execFileSync(process.execPath, ['src/make-secret.js'], { cwd: folder });
  return path.join(await bundle('functions', folder, name), `${name}.cjs`);
}

const cleanups = [];
const scope = { after: (cleanup) => cleanups.push(cleanup) };
try {
  const files = [
    { name: 'empty', file: await bundled(scope, 'empty') },
    { name: 'this build', file: await bundled(scope, 'session') },
  ];
  if (values.baseline)
    files.push({ name: 'baseline', file: await bundled(scope, 'session', values.baseline) });
  for (const { name, file } of files) {
    const text = readFileSync(file);
    console.log(`${name}: a bundle of ${kB(text.length)}, gzip ${kB(gzipSync(text, { level: 9 }).length)}`);
  }
  console.log(`Above the empty function, medians of ${ROUNDS} new processes of each:`);
  for (const program of [process.execPath, ...values.node.map(nodeOf)]) {
    const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
    compare(program, files, [], version);
    compare(program, files, ['--http'], `${version} with node:http loaded`);
    compare(program, files, ['--http', '--storage-ms=20'], `${version} with a storage of 20 ms`);
  }
} finally {
  for (const cleanup of cleanups) cleanup();
}
