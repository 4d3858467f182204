// A user's project: a temporary folder with the packed package installed.

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const tarball =
  process.env.SEALWIRE_TARBALL ?? path.join(root, 'target', 'package', 'sealwire-0.1.0.tgz');

if (!existsSync(tarball)) throw new Error(`${tarball} is missing; run \`cargo xtask package\` to build it`);

/**
 * Creates a project that is removed when the test ends. `files` maps paths to texts; `packages` are further packages, linked
 * from this repository; `tarballs` are the packed packages to install.
 */
export function project(test, { files = {}, packages = [], manifest = {}, tarballs = [tarball] } = {}) {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'sealwire-packaging-')));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  write(folder, { 'package.json': JSON.stringify({ private: true, ...manifest }), ...files });
  // The packages have no dependencies but optional ones, so the installation works offline.
  const install = [
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--loglevel=error',
    ...tarballs,
  ];
  execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const name of packages) link(folder, name);
  return folder;
}

export function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

function link(folder, name) {
  const target = path.join(folder, 'node_modules', name);
  mkdirSync(path.dirname(target), { recursive: true });
  symlinkSync(path.join(root, 'node_modules', name), target);
}

/** Runs a file of the project with Node and returns what it prints. */
export function node(folder, file, ...args) {
  return execFileSync(process.execPath, [...args, file], { cwd: folder, encoding: 'utf8' });
}
