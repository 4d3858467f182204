// A new app by the written steps of docs/getting-started.md, with Custom UI and with UI Kit, in JavaScript and in TypeScript:
// Forge's bundler, linters and validation of the manifest have no finding.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { runBundler } from './support/forge-bundler.mjs';
import { findings } from './support/forge-lint.mjs';
import { viteCommand, writtenApp } from './support/getting-started.mjs';
import { node, root } from './support/project.mjs';

const EXAMPLES = path.join(root, 'examples');

/** Forge finds nothing in these apps. */
const NOTHING = { lint: [], manifest: [] };

/** Bundles with Forge's bundler. Fails if it reports an error or a warning. Returns the folder of the bundle. */
async function bundled(what, folder, entry) {
  const { out, complaints } = await runBundler(what, folder, entry);
  assert.equal(complaints, '');
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
    test(`the written steps for ${kit ? 'UI Kit' : 'Custom UI'} in ${language} make an app without findings`, async (t) => {
      const folder = writtenApp(t, { kit, typed });
      if (kit) {
        const out = await bundled('page', folder, `src/frontend/index.${typed ? 'tsx' : 'jsx'}`);
        assert.ok(existsSync(path.join(out, 'index.html')));
      } else {
        buildCustomUi(folder);
      }
      const functions = await bundled('functions', folder, 'index');
      const exported = node(functions, `console.log(Object.keys(require('./index.cjs')).join())`, '-e');
      assert.equal(exported.trim(), 'handler');
      assert.deepEqual(await findings(folder), NOTHING);
    });
  }
}

for (const app of readdirSync(EXAMPLES).filter((name) =>
  existsSync(path.join(EXAMPLES, name, 'manifest.yml')),
)) {
  test(`Forge's linters have no finding in examples/${app}`, async () => {
    assert.deepEqual((await findings(path.join(EXAMPLES, app))).lint, []);
  });
}

test('Forge finds what is wrong in an app, also after one without findings', async (t) => {
  const folder = writtenApp(t, { kit: true, typed: false });
  assert.deepEqual(await findings(folder), NOTHING);
  const functions = path.join(folder, 'src/index.js');
  appendFileSync(functions, `\nimport { storage } from '@forge/api';\n`);
  const manifest = path.join(folder, 'manifest.yml');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('storage:app', 'no:such:scope'));
  const found = await findings(folder);
  assert.match(found.lint.join(), /src\/index\.js:\d+: The "storage" export .* is deprecated/);
  assert.match(found.manifest.map(({ message }) => message).join(), /'no:such:scope'/);
});
