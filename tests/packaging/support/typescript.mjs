// The compilers that apps have: TypeScript 5, which Forge's bundler brings, and the current one.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { root } from './project.mjs';

function compiler(name) {
  const folder = path.join(root, 'node_modules', name);
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return [version, path.join(folder, 'bin', 'tsc')];
}

export const typescript5 = compiler('typescript-5');

/** The version and the program of each. */
export const compilers = [typescript5, compiler('typescript')];
