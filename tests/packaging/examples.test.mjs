// Forge's own bundler builds the functions of every example, with the packed package installed, and the bundle exports the
// handlers that the manifest names.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { bundle } from './support/forge-bundler.mjs';
import { node, project, root } from './support/project.mjs';

const EXAMPLES = path.join(root, 'examples');
const apps = readdirSync(EXAMPLES).filter((name) => existsSync(path.join(EXAMPLES, name, 'manifest.yml')));

/** Returns the files of an app that Forge's bundler reads. */
function sourcesOf(app) {
  const entries = readdirSync(path.join(EXAMPLES, app, 'src'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const names = files.map(({ parentPath, name }) =>
    path.relative(path.join(EXAMPLES, app), path.join(parentPath, name)),
  );
  if (existsSync(path.join(EXAMPLES, app, 'tsconfig.json'))) names.push('tsconfig.json');
  const read = (name) => readFileSync(path.join(EXAMPLES, app, name), 'utf8');
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

/** Returns the names of the exports of `src/index` in the manifest, such as `handler`. */
function handlersOf(app) {
  const manifest = readFileSync(path.join(EXAMPLES, app, 'manifest.yml'), 'utf8');
  return [...manifest.matchAll(/^\s+handler: index\.(\w+)$/gm)].map(([, name]) => name);
}

/** Prints the exports of a bundle. The language model's client reads the runtime when it is loaded. */
const EXPORTS = `
  globalThis.__forge_runtime__ = { tracing: {} };
  console.log(JSON.stringify(Object.keys(require('./index.cjs')).sort()));
`;

assert.ok(apps.length >= 2, apps.join());
for (const app of apps) {
  test(`the functions of examples/${app} are bundled by Forge, and export the handlers of the manifest`, async (t) => {
    const { dependencies } = JSON.parse(readFileSync(path.join(EXAMPLES, app, 'package.json'), 'utf8'));
    const packages = [...Object.keys(dependencies).filter((name) => name !== 'sealwire'), '@types/node'];
    const folder = project(t, { files: sourcesOf(app), packages });
    const exported = node(await bundle('functions', folder, 'index'), EXPORTS, '-e');
    assert.deepEqual(JSON.parse(exported), handlersOf(app).sort());
  });
}
