// A new app by the written steps of docs/getting-started.md, with Custom UI and with UI Kit, in JavaScript and in TypeScript:
// Forge's bundler, linters and validation of the manifest have no finding.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { runBundler } from './support/forge-bundler.mjs';
import { viteCommand, writtenApp } from './support/getting-started.mjs';
import { node, root } from './support/project.mjs';

const LINT = fileURLToPath(new URL('support/forge-lint.cjs', import.meta.url));
const EXAMPLES = path.join(root, 'examples');

/** Returns the findings of Forge's linters for the app of a folder. */
const lint = (folder) =>
  JSON.parse(execFileSync(process.execPath, [LINT], { cwd: folder, encoding: 'utf8' }));

/** Returns the errors and warnings of Forge's validation of the manifest. */
function manifestProblems(folder) {
  const validation = `import(${JSON.stringify(import.meta.resolve('@forge/manifest'))}).then(async ({ default: forge }) => {
    console.log(JSON.stringify((await forge.validate(false, 'manifest.yml')).errors ?? []));
  });`;
  return JSON.parse(node(folder, validation, '-e').trim().split('\n').at(-1));
}

/** Bundles with Forge's bundler. Fails if it reports an error or a warning. Returns the folder of the bundle. */
function bundled(what, folder, entry) {
  const { out, stderr } = runBundler(what, folder, entry);
  assert.equal(stderr, '');
  return out;
}

function buildCustomUi(folder) {
  assert.ok(viteCommand, 'step 6 has no command that builds the page');
  const { status, stdout, stderr } = spawnSync('sh', ['-c', viteCommand], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  assert.doesNotMatch(stderr, /warn/i);
  assert.ok(existsSync(path.join(folder, 'static/notes/dist/index.html')));
}

for (const typed of [false, true]) {
  const language = typed ? 'TypeScript' : 'JavaScript';

  for (const kit of [false, true]) {
    test(`the written steps for ${kit ? 'UI Kit' : 'Custom UI'} in ${language} make an app without findings`, (t) => {
      const folder = writtenApp(t, { kit, typed });
      if (kit) {
        const out = bundled('page', folder, `src/frontend/index.${typed ? 'tsx' : 'jsx'}`);
        assert.ok(existsSync(path.join(out, 'index.html')));
      } else {
        buildCustomUi(folder);
      }
      const functions = bundled('functions', folder, 'index');
      const exported = node(functions, `console.log(Object.keys(require('./index.cjs')).join())`, '-e');
      assert.equal(exported.trim(), 'handler');
      assert.deepEqual(manifestProblems(folder), []);
      assert.deepEqual(lint(folder), []);
    });
  }
}

for (const app of readdirSync(EXAMPLES).filter((name) =>
  existsSync(path.join(EXAMPLES, name, 'manifest.yml')),
)) {
  test(`Forge's linters have no finding in examples/${app}`, () => {
    assert.deepEqual(lint(path.join(EXAMPLES, app)), []);
  });
}
