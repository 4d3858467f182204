// sealwire/devtools in the packed package: only the pages that include it load it, and it loads where there is no document.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import * as esbuild from 'esbuild';
import { build } from 'vite';
import webpack from 'webpack';

import { node, project } from './support/project.mjs';

/** A text of the panel that minifiers keep. */
const PANEL = 'sealwire-devtools';

/** Bundles `main.js` with esbuild, as one minified script. */
async function bundled(t, main) {
  const folder = project(t, { files: { 'main.js': main } });
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(folder, 'main.js')],
    bundle: true,
    minify: true,
    format: 'esm',
    external: ['@forge/*'],
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/** Builds a page with Vite for production, and returns its scripts by name. */
async function builtByVite(t, main) {
  const page = '<!doctype html><title>page</title><body><script type="module" src="/main.js"></script>';
  const folder = project(t, { files: { 'index.html': page, 'main.js': main } });
  await build({ root: folder, base: './', logLevel: 'silent', configFile: false });
  const assets = path.join(folder, 'dist', 'assets');
  return new Map(readdirSync(assets).map((name) => [name, readFileSync(path.join(assets, name), 'utf8')]));
}

const withPanel = (scripts) => [...scripts].filter(([, text]) => text.includes(PANEL)).map(([name]) => name);

/** The snippet of docs/devtools.md. */
const IN_DEVELOPMENT = `
  import { realtime } from 'sealwire';
  realtime.publish('n', 'x');
  if (import.meta.env.DEV) {
    const { showDevtools } = await import('sealwire/devtools');
    showDevtools();
  }`;

test('a page that imports sealwire alone contains nothing of the panel', async (t) => {
  const text = await bundled(t, `import { realtime } from 'sealwire'; realtime.publish('n', 'x');`);
  assert.ok(!text.includes(PANEL));
  const both = `import { realtime } from 'sealwire'; import { showDevtools } from 'sealwire/devtools'; showDevtools(realtime);`;
  assert.ok((await bundled(t, both)).includes(PANEL), 'the text to look for is that of the panel');
});

test('a page that loads the panel on demand has it in a script of its own, bundled by Vite', async (t) => {
  const main = IN_DEVELOPMENT.replace('import.meta.env.DEV', `location.hash === '#devtools'`);
  const found = withPanel(await builtByVite(t, main));
  assert.equal(found.length, 1, `${found}`);
  assert.match(found[0], /^devtools-/);
});

test('a page with the documented condition has no panel in its build for production', async (t) => {
  assert.deepEqual(withPanel(await builtByVite(t, IN_DEVELOPMENT)), []);
});

test('an import for the element alone is kept by esbuild and by webpack', async (t) => {
  const main = `import 'sealwire/devtools';`;
  assert.ok((await bundled(t, main)).includes(PANEL));
  const folder = project(t, { files: { 'main.js': main } });
  await new Promise((resolve, reject) => {
    const output = { path: path.join(folder, 'out'), filename: 'main.js' };
    const config = { mode: 'production', context: folder, entry: './main.js', output, performance: false };
    webpack(config, (error, stats) => {
      if (error ?? stats.hasErrors()) reject(error ?? new Error(stats.toString()));
      else resolve();
    });
  });
  assert.ok(readFileSync(path.join(folder, 'out', 'main.js'), 'utf8').includes(PANEL));
});

/** Loads the entry where there is no document, as in a web worker of UI Kit, and calls it. */
const outside = (load) => `${load}
  const { showDevtools } = devtools;
  let thrown;
  try {
    showDevtools(realtime);
  } catch (error) {
    thrown = error;
  }
  console.log(JSON.stringify([thrown instanceof SealwireError, thrown.code, thrown.message.split(',')[0]]));`;

test('without a document the import succeeds and showDevtools() throws, as ES modules and as CommonJS', (t) => {
  const files = {
    'main.mjs': outside(`import { realtime, SealwireError } from 'sealwire';
      import * as devtools from 'sealwire/devtools';`),
    'main.cjs': outside(`const { realtime, SealwireError } = require('sealwire');
      const devtools = require('sealwire/devtools');`),
  };
  const folder = project(t, { files });
  for (const file of Object.keys(files)) {
    const expected = [true, 'INVALID_ARGUMENT', 'showDevtools() needs a document'];
    assert.deepEqual(JSON.parse(node(folder, file)), expected);
  }
});
