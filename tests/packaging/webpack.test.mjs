// Pages and functions that are bundled by webpack.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import webpack from 'webpack';

import { assertHooksWork, assertPageWorks } from './support/page-outcome.mjs';
import { node, project, root } from './support/project.mjs';
import { assertResolverWorks } from './support/resolver-outcome.mjs';

const source = (name) => readFileSync(path.join(root, 'tests/packaging/app', name), 'utf8');

function run(config) {
  return new Promise((resolve, reject) => {
    webpack(config, (error, stats) => {
      if (error) return reject(error);
      const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
      if (errors.length > 0) return reject(new Error(errors.map(({ message }) => message).join('\n')));
      resolve(warnings.map(({ message }) => message));
    });
  });
}

/** Bundles `main.mjs` for a page, and returns the folder. */
async function page(folder) {
  const out = path.join(folder, 'dist');
  await run({
    mode: 'production',
    context: folder,
    entry: './main.mjs',
    output: { path: out, filename: 'main.js', chunkFilename: '[name].js', publicPath: '/' },
    optimization: { chunkIds: 'named' },
    performance: false,
  });
  writeFileSync(
    path.join(out, 'index.html'),
    '<!doctype html><title>page</title><body><script src="main.js"></script>',
  );
  return out;
}

test('a page without @forge/bridge, bundled by webpack, loads the core that its policy allows', async (t) => {
  const out = await page(project(t, { files: { 'main.mjs': source('page.mjs') } }));
  const chunk = (name) => readdirSync(out).find((file) => file.includes(name) && file.endsWith('.js'));
  assert.ok(chunk('core-wasm') && chunk('core-js'), `${readdirSync(out)}`);
  await assertPageWorks(out, { wasmChunk: chunk('core-wasm'), jsChunk: chunk('core-js') });
});

test('the hooks of a page bundled by webpack use the default connection unless a provider names another', async (t) => {
  const files = { 'main.mjs': source('react-page.mjs') };
  await assertHooksWork(await page(project(t, { files, packages: ['react', 'react-dom'] })));
});

/** Bundles a function as Forge does: for Node, as CommonJS, in one file. Returns the warnings. */
async function forgeFunction(folder, entry) {
  const out = path.join(folder, 'forge');
  const warnings = await run({
    mode: 'production',
    context: folder,
    entry,
    target: 'node',
    output: { path: out, filename: 'function.js', library: { type: 'commonjs2' } },
    performance: false,
  });
  assert.deepEqual(
    readdirSync(out).filter((file) => file.endsWith('.js')),
    ['function.js'],
  );
  return warnings;
}

const MAIN = `
  import * as sealwire from 'sealwire/resolver';
  import { exerciseResolver } from './exercise.mjs';
  exerciseResolver(sealwire).then((outcome) => console.log(JSON.stringify(outcome)));
`;

test('a resolver bundled by webpack with the settings of Forge mints a session and seals', async (t) => {
  const files = { 'main.mjs': MAIN, 'exercise.mjs': source('exercise-resolver.mjs') };
  const folder = project(t, { files, packages: ['@forge/kvs'] });
  assert.deepEqual(await forgeFunction(folder, './main.mjs'), []);
  // The bundle runs without the project's other files, none of which Forge deploys.
  assertResolverWorks(node(path.join(folder, 'forge'), 'function.js'));
});

test('a resolver in CommonJS, bundled by webpack, mints a session and seals', async (t) => {
  const main = `
    const sealwire = require('sealwire/resolver');
    const { exerciseResolver } = require('./exercise.mjs');
    exerciseResolver(sealwire).then((outcome) => console.log(JSON.stringify(outcome)));
  `;
  const files = { 'main.cjs': main, 'exercise.mjs': source('exercise-resolver.mjs') };
  const folder = project(t, { files, packages: ['@forge/kvs'] });
  assert.deepEqual(await forgeFunction(folder, './main.cjs'), []);
  assertResolverWorks(node(path.join(folder, 'forge'), 'function.js'));
});
