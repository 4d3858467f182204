// The packed packages of the relay, and a search path on which there is nothing but Node.js.

import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { root } from './project.mjs';

/** The package with the binary for this platform. */
export const platform = `sealwire-relay-${process.platform}-${process.arch}`;

export const { version } = JSON.parse(readFileSync(path.join(root, 'pkg-relay/package.json'), 'utf8'));

/** The tarballs: that of `sealwire-relay`, and that of the binary for this platform. */
export const [launcher, binary] = process.env.SEALWIRE_TEST_RELAY_TARBALLS?.split(path.delimiter) ?? [
  path.join(root, `target/package/sealwire-relay-${version}.tgz`),
  path.join(root, `target/package/${platform}-${version}.tgz`),
];

for (const file of [launcher, binary]) {
  if (!existsSync(file)) {
    throw new Error(`${file} is missing; run \`cargo xtask package sealwire-relay\` to build it`);
  }
}

/** Makes a folder for `PATH` with Node.js, its npx, and the shell that npx uses. */
export function pathOfNode(folder) {
  const bin = path.join(folder, 'path-of-node');
  mkdirSync(bin);
  for (const [name, target] of [
    ['node', process.execPath],
    ['npx', npx()],
    ['sh', '/bin/sh'],
  ]) {
    symlinkSync(target, path.join(bin, name));
  }
  return bin;
}

function npx() {
  const folders = [path.dirname(process.execPath), ...process.env.PATH.split(path.delimiter)];
  const found = folders.map((folder) => path.join(folder, 'npx')).find((file) => existsSync(file));
  if (!found) throw new Error('npx is missing; install npm');
  return realpathSync(found);
}
