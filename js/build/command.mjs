// Builds the command `sealwire` of the package: dist/cli.js, which reviewers can read, and beside it the libraries that it uses
// in one minified file, with their licences. No entry of the package imports them.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import * as esbuild from 'esbuild';

import { shared } from './options.mjs';

/** The names that the command imports from libraries. */
const LIBRARIES = { '@babel/parser': ['parse'], diff: ['createTwoFilesPatch'] };
const FILE = 'cli-libraries.js';

const node = { ...shared, format: 'esm', platform: 'node', target: 'node20.16' };

/** Resolves the libraries to their file. */
const libraries = {
  name: 'libraries',
  setup(build) {
    build.onResolve({ filter: /^[@a-z]/ }, ({ path: name }) =>
      Object.hasOwn(LIBRARIES, name) ? { path: `./${FILE}`, external: true } : undefined,
    );
  },
};

export async function bundleCommand(source, out) {
  await esbuild.build({
    ...node,
    entryPoints: [path.join(source, 'cli.ts')],
    outdir: out,
    banner: { js: '#!/usr/bin/env node' },
    plugins: [libraries],
  });
  const contents = Object.entries(LIBRARIES).map(
    ([name, names]) => `export { ${names.join(', ')} } from '${name}';`,
  );
  const { metafile } = await esbuild.build({
    ...node,
    stdin: { contents: contents.join('\n'), resolveDir: source },
    outfile: path.join(out, FILE),
    minify: true,
    metafile: true,
  });
  writeFileSync(path.join(out, 'cli-libraries.LICENSES.txt'), licences(Object.keys(metafile.inputs)));
}

/** The licences of the packages to which the files belong. */
function licences(files) {
  const folders = new Set(
    files.map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(Boolean),
  );
  return [...folders]
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      if (!file) throw new Error(`${name} has no licence text to ship`);
      return `${name} ${version}\n\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
    })
    .join('\n----\n\n');
}
