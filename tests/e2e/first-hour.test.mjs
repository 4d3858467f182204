// The first steps of an app's developer: the commands of the README run unchanged, and Forge's own validation accepts a
// manifest with the lines that they print.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { problemsOf } from '../../examples/forge-host/src/app/manifest.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const binary = process.env.SEALWIRE_TEST_RELAY;

function emptyFolder(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealwire-first-hour-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Returns the commands of a deployed relay in a document, without their comments. */
function commands(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  const found = [...text.matchAll(/^ {4}(?:npx )?sealwire-relay ([^#\n]+)/gm)];
  return found.map(([, words]) => words.trim().split(/\s+/)).filter(([command]) => command !== 'dev');
}

/** Runs a command with an empty environment. */
const run = (folder, words) => execFileSync(binary, words, { cwd: folder, env: {}, encoding: 'utf8' });

/** Returns the lines for manifest.yml that `init` prints, without their indentation. */
function manifestLines(printed) {
  const [, lines] = /^( {4}permissions:\n(?: {5,}.*\n)+)/m.exec(printed);
  return lines.replace(/^ {4}/gm, '');
}

const APP = `app:
  id: ari:cloud:ecosystem::app/7c1f8e0a-52c4-4d0c-9a55-0f6f3c1f8d11
  runtime:
    name: nodejs22.x
modules:
  jira:issuePanel:
    - key: panel
      title: Panel
      icon: https://example.com/icon.svg
      resource: page
      resolver:
        function: resolver
  function:
    - key: resolver
      handler: index.handler
resources:
  - key: page
    path: static
`;

/** Returns the errors and warnings of Forge's validation for an app with these lines in its manifest. */
function complaints(folder, lines) {
  mkdirSync(path.join(folder, 'src'), { recursive: true });
  mkdirSync(path.join(folder, 'static'), { recursive: true });
  writeFileSync(path.join(folder, 'src/index.js'), 'export const handler = () => {};\n');
  writeFileSync(path.join(folder, 'static/index.html'), '<html></html>\n');
  writeFileSync(path.join(folder, 'manifest.yml'), APP + lines);
  return problemsOf(folder);
}

async function starts(t, folder, words) {
  const child = spawn(binary, [...words, '--listen', '127.0.0.1:0'], {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    if (/^listening on http:\/\/127\.0\.0\.1:\d+$/.test(line)) return;
  }
  assert.fail(`\`sealwire-relay ${words.join(' ')}\` ended`);
}

for (const file of ['README.md', 'docs/operating.md']) {
  test(`the first commands of ${file} write a configuration and start a relay with it`, async (t) => {
    const folder = emptyFolder(t);
    const [init, start] = commands(file);
    assert.deepEqual([init[0], start[0]], ['init', 'run']);
    const words = init.map((word) => word.replace(/^<app$/, 'my-app')).filter((word) => word !== 'id>');
    run(folder, words);
    // The document names the file that `init` wrote.
    const [made] = readdirSync(folder);
    assert.match(
      readFileSync(path.join(root, file), 'utf8'),
      new RegExp(`writes \`?${made.replace('.', '\\.')}`),
    );
    await starts(t, folder, start);
  });
}

test('init prints the variables and manifest lines of the README, and Forge accepts the manifest', async (t) => {
  const folder = emptyFolder(t);
  const printed = run(folder, ['init', '--app', 'my-app', '--host', 'relay.example']);
  const lines = manifestLines(printed);
  assert.deepEqual(await complaints(folder, lines), []);
  const text = readFileSync(path.join(root, 'pkg/README.md'), 'utf8');
  const [, yaml] = /^```yaml\n(permissions:[\s\S]*?)^```/m.exec(text);
  assert.equal(lines, yaml.replace(/^ *#.*\n/gm, ''));
  const sets = (shown) =>
    [...shown.matchAll(/^ *forge variables set (.*)$/gm)].map(([, words]) =>
      words.replace(/[0-9a-f]{12}\.\S+/, '<key id>.<secret>'),
    );
  assert.deepEqual(sets(printed), sets(text));
});

test('init --local prints the variables of the README, and Forge accepts the manifest lines', async (t) => {
  const folder = emptyFolder(t);
  const printed = run(folder, ['init', '--local', '--app', 'dev']);
  assert.deepEqual(await complaints(folder, manifestLines(printed)), []);
  const exported = (shown) =>
    [...shown.matchAll(/^ *export (.*)$/gm)].map(([, words]) =>
      words.replace(/[0-9a-f]{12}\.\S+/, '<key id>.<secret>'),
    );
  assert.deepEqual(
    exported(printed),
    exported(readFileSync(path.join(root, 'pkg/README.md'), 'utf8')).filter((line) =>
      line.startsWith('FORGE_USER_VAR_'),
    ),
  );
});

test("Forge's validation refuses an invalid manifest", async (t) => {
  const folder = emptyFolder(t);
  const wrong = 'permissions:\n  external:\n    fetch:\n      client:\n        - address: no address\n';
  assert.notDeepEqual(await complaints(folder, wrong), []);
});
