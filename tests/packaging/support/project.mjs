// A user's project: a temporary folder with the packed package installed.

import { execFileSync } from 'node:child_process';
import {
  cpSync,
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
  const folder = temporary();
  test.after(() => remove(folder));
  write(folder, { 'package.json': JSON.stringify({ private: true, ...manifest }), ...files });
  cpSync(installed(tarballs), path.join(folder, 'node_modules'), {
    recursive: true,
    // The links of npm to programs are relative.
    verbatimSymlinks: true,
  });
  for (const name of packages) link(folder, name);
  return folder;
}

/** The folders with the packed packages as npm installs them, by the paths of the packages. */
const installations = new Map();

/** Installs packed packages once, and returns the folder that npm wrote. */
function installed(tarballs) {
  const key = tarballs.join('\n');
  if (!installations.has(key)) {
    const folder = temporary();
    process.once('exit', () => remove(folder));
    write(folder, { 'package.json': JSON.stringify({ private: true }) });
    const options = ['--offline', '--no-audit', '--no-fund', '--no-save', '--loglevel=error'];
    // The packages have no dependencies but optional ones, so the installation works offline.
    execFileSync('npm', ['install', ...options, ...tarballs], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    installations.set(key, path.join(folder, 'node_modules'));
  }
  return installations.get(key);
}

const temporary = () => realpathSync(mkdtempSync(path.join(tmpdir(), 'sealwire-packaging-')));
const remove = (folder) => rmSync(folder, { recursive: true, force: true });

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
