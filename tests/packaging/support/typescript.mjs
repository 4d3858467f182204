// The compilers that apps use: TypeScript 5, which Forge's bundler includes, and the current version.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { root } from './project.mjs';

function compiler(name) {
  const folder = path.join(root, 'node_modules', name);
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return [version, path.join(folder, 'bin', 'tsc')];
}

export const typescript5 = compiler('typescript-5');

/** The version and the program of each compiler. */
export const compilers = [typescript5, compiler('typescript')];
