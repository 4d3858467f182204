// Reads the code blocks and the commands of a README.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { root } from './project.mjs';

/** Returns the text of pkg/README.md or of another file of the repository. */
export const readme = (file = 'pkg/README.md') => readFileSync(path.join(root, file), 'utf8');

/** Returns the code blocks in a language, in order. */
export function blocks(text, language) {
  const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(pattern)].map(([, block]) => block);
}

/** Returns the packages that code imports. */
export function imports(code) {
  return [...code.matchAll(/from '([^'.][^']*)'/g)].map(([, name]) => name);
}

/** Returns the packages of each `npm install`, without comments. */
export function installs(text) {
  return [...text.matchAll(/^\s*npm install ([^#\n]+)/gm)].map(([, names]) => names.trim().split(/\s+/));
}
