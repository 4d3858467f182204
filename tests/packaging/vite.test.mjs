// Pages that are bundled by Vite.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { build } from 'vite';

import { assertHooksWork, assertPageWorks } from './support/page-outcome.mjs';
import { project, root } from './support/project.mjs';

const source = (name) => readFileSync(path.join(root, 'tests/packaging/app', name), 'utf8');
const filesWith = (name) => ({
  'index.html': '<!doctype html><title>page</title><body><script type="module" src="/main.js"></script>',
  'main.js': source(name),
});
const files = filesWith('page.mjs');

async function bundle(folder) {
  const warnings = [];
  const logger = { info() {}, warn: (text) => warnings.push(text), warnOnce: (text) => warnings.push(text) };
  const customLogger = {
    ...logger,
    error: (text) => warnings.push(text),
    clearScreen() {},
    hasErrorLogged: () => false,
  };
  await build({ root: folder, base: './', logLevel: 'silent', customLogger, configFile: false });
  const assets = readdirSync(path.join(folder, 'dist', 'assets'));
  return { assets, warnings, chunk: (name) => assets.find((file) => file.startsWith(`${name}-`)) };
}

test('a page without @forge/bridge, bundled by Vite, loads the core that its policy allows', async (t) => {
  const folder = project(t, { files });
  const { chunk } = await bundle(folder);
  assert.ok(chunk('core-wasm') && chunk('core-js'), 'each build of the core is a separate chunk');
  await assertPageWorks(path.join(folder, 'dist'), {
    wasmChunk: chunk('core-wasm'),
    jsChunk: chunk('core-js'),
  });
});

test('the first script of a page, bundled by Vite, has no core', async (t) => {
  const folder = project(t, { files, packages: ['@forge/bridge'] });
  const { chunk } = await bundle(folder);
  const sizeOf = (name) => readFileSync(path.join(folder, 'dist', 'assets', chunk(name)), 'utf8').length;
  // pkg/size-budget.json limits the size of the API; a script that contains a core is larger than the core's own chunk.
  const [entry, ...cores] = ['index', 'core-js', 'core-wasm'].map(sizeOf);
  for (const core of cores) assert.ok(entry < core, `the first script has ${entry} bytes, a core ${core}`);
});

test('the hooks of a page bundled by Vite use the default connection unless a provider names another', async (t) => {
  const folder = project(t, { files: filesWith('react-page.mjs'), packages: ['react', 'react-dom'] });
  await bundle(folder);
  await assertHooksWork(path.join(folder, 'dist'));
});
