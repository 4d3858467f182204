// Bundles the entries with esbuild. Code that several entries share is one chunk, in ES modules and in CommonJS. Each build of
// the core is a separate chunk, so that a page downloads only one.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { parse } from 'acorn';
import * as esbuild from 'esbuild';

import { bundleCommand } from './command.mjs';
import { shared } from './options.mjs';

export const ENTRIES = ['index', 'resolver', 'react', 'testing', 'devtools'];
const CORES = ['core-wasm', 'core-js'];

const commonJs = {
  ...shared,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  // import() becomes require(), since import() in a CommonJS file breaks bundlers and test runners that support only require.
  supported: { 'dynamic-import': false },
};

/**
 * Defers the evaluation of the resolver's core from the import to the first load(). Importing `sealwire/resolver` is then
 * cheap, and works in environments that cannot run the core, such as Jest's jsdom environment, which has no TextDecoder.
 */
const deferred = {
  name: 'deferred',
  setup(build) {
    build.onLoad({ filter: /[\\/]generated[\\/]core-resolver\.js$/ }, ({ path: file }) => {
      const text = readFileSync(file, 'utf8');
      const [exported, name] = /export\s*\{\s*(\w+) as load\s*\};?\s*$/.exec(text) ?? [];
      if (!exported) throw new Error(`${file} must export load() and nothing else`);
      const body = text.slice(0, -exported.length);
      return {
        contents: `function evaluate() {${body}\nreturn ${name};}\nlet own;\nexport const load = () => (own ??= evaluate())();`,
      };
    });
  },
};

/** Leaves every import unresolved, and replaces the extension of the imported files. */
function siblings(extension) {
  return {
    name: 'siblings',
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path: file, kind }) => {
        if (kind === 'entry-point') return undefined;
        return { path: file.replace(/\.js$/, extension), external: true };
      });
    },
  };
}

/**
 * Removes the comments for readers on separate lines, which esbuild keeps inside classes and expressions. The names of the
 * modules, which begin a line, stay, and so do the block comments for bundlers.
 */
function withoutComments(text) {
  const comments = [];
  parse(text, { ecmaVersion: 'latest', sourceType: 'module', onComment: comments });
  for (const { type, value, start, end } of comments.reverse()) {
    if (type === 'Block' && !value.startsWith('*')) continue;
    const line = text.lastIndexOf('\n', start - 1) + 1;
    if (line < start && text.slice(line, start).trim() === '' && text[end] === '\n') {
      text = text.slice(0, line) + text.slice(end + 1);
    }
  }
  return text;
}

/**
 * Removes imports of chunks that bind nothing. esbuild writes one for each chunk that a file needs only through another one. No chunk
 * has an effect when it is loaded (`sideEffects` of the manifest), so bundlers drop these imports, and warn about them in a workspace.
 * The entries may have an effect, so their imports stay.
 */
function withoutBareImports(text) {
  return text.replace(/^import "\.\/(chunks\/)?chunk-[^"]*";\n/gm, '');
}

function scripts(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.js'))
    .map((file) => path.join(folder, file));
}

export async function bundle(source, out) {
  const entryPoints = Object.fromEntries([
    ...ENTRIES.map((name) => [name, path.join(source, `${name}.ts`)]),
    ...CORES.map((name) => [`chunks/${name}`, path.join(source, 'generated', `${name}.js`)]),
  ]);
  const split = { format: 'esm', splitting: true, chunkNames: 'chunks/[name]-[hash]', plugins: [deferred] };
  await esbuild.build({ ...shared, ...split, entryPoints, outdir: out });

  // Only the cores are minified: apps minify their own bundles, and reviewers read this one.
  const cores = CORES.map((name) => path.join(out, 'chunks', `${name}.js`));
  await esbuild.build({
    ...shared,
    format: 'esm',
    entryPoints: cores,
    outdir: path.join(out, 'chunks'),
    allowOverwrite: true,
    minify: true,
    plugins: [siblings('.js')],
  });

  const others = scripts(out).filter((file) => !cores.includes(file));
  for (const file of others) {
    writeFileSync(file, withoutBareImports(withoutComments(readFileSync(file, 'utf8'))));
  }

  // esbuild splits only ES modules, so the CommonJS files are built from these.
  const twins = { ...commonJs, outdir: out, outbase: out, plugins: [siblings('.cjs')] };
  await esbuild.build({ ...twins, entryPoints: others });
  await esbuild.build({ ...twins, entryPoints: cores, minify: true });

  await bundleCommand(source, out);
}
