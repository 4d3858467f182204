// Bundles the two entries with esbuild. Each build of the core stays a chunk of its own, so that a page downloads one.

import path from 'node:path';

import * as esbuild from 'esbuild';

const ENTRIES = ['index', 'resolver'];
const CORES = ['core-wasm', 'core-js'];

const shared = {
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  legalComments: 'none',
  external: ['@forge/*', 'node:*'],
  logLevel: 'warning',
};

const esm = { ...shared, format: 'esm', outExtension: { '.js': '.js' } };

const commonJs = {
  ...shared,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  // As require(): import() in a CommonJS file breaks under bundlers and test runners that know only require.
  supported: { 'dynamic-import': false },
};

/** Leaves the import of a core for the app's bundler or its runtime: a page downloads one of the two. */
function coresBeside(extension) {
  return {
    name: 'cores-beside',
    setup(build) {
      build.onResolve({ filter: /\/generated\/core-(wasm|js)\.js$/ }, ({ path: file, kind }) => {
        if (kind !== 'dynamic-import') return undefined;
        return { path: `./chunks/${path.basename(file, '.js')}${extension}`, external: true };
      });
    },
  };
}

export async function bundle(source, out) {
  const entryPoints = ENTRIES.map((name) => path.join(source, `${name}.ts`));
  const cores = CORES.map((name) => path.join(source, 'generated', `${name}.js`));
  const chunks = path.join(out, 'chunks');

  // The entries stay readable: apps minify their own bundles, and reviewers read this one.
  const split = { splitting: true, chunkNames: 'chunks/[name]-[hash]' };
  await esbuild.build({ ...esm, ...split, entryPoints, outdir: out, plugins: [coresBeside('.js')] });
  await esbuild.build({ ...commonJs, entryPoints, outdir: out, plugins: [coresBeside('.cjs')] });

  await esbuild.build({ ...esm, entryPoints: cores, outdir: chunks, minify: true });
  await esbuild.build({ ...commonJs, entryPoints: cores, outdir: chunks, minify: true });
}
