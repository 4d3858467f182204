// The first hour of an app's developer: the README's commands, run as they stand, and a manifest of the lines that they
// print, in which Forge's own validation finds nothing wrong.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const binary = process.env.SEALWIRE_TEST_RELAY;

function emptyFolder(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealwire-first-hour-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The commands of the relay that a document shows, without their comments. */
function commands(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/^ {4}sealwire-relay ([^#\n]+)/gm)].map(([, words]) => words.trim().split(/\s+/));
}

/** Runs a command with nothing of the caller's environment. */
const run = (folder, words) => execFileSync(binary, words, { cwd: folder, env: {}, encoding: 'utf8' });

/** What `init` prints for manifest.yml, without its indentation. */
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

/** Everything that Forge's validation says of an app with these lines in its manifest: errors and warnings. */
function complaints(folder, lines) {
  mkdirSync(path.join(folder, 'src'), { recursive: true });
  mkdirSync(path.join(folder, 'static'), { recursive: true });
  writeFileSync(path.join(folder, 'src/index.js'), 'export const handler = () => {};\n');
  writeFileSync(path.join(folder, 'static/index.html'), '<html></html>\n');
  writeFileSync(path.join(folder, 'manifest.yml'), APP + lines);
  const validation = `import(${JSON.stringify(import.meta.resolve('@forge/manifest'))}).then(async ({ default: forge }) => {
    const { errors } = await forge.validate(false, 'manifest.yml');
    console.log(JSON.stringify(errors));
  });`;
  const printed = execFileSync(process.execPath, ['-e', validation], { cwd: folder, encoding: 'utf8' });
  return JSON.parse(printed.trim().split('\n').at(-1));
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
  test(`the first commands of ${file} make a configuration, and a relay that runs with it`, async (t) => {
    const folder = emptyFolder(t);
    const [init, start] = commands(file);
    assert.deepEqual([init[0], start[0]], ['init', 'run']);
    const words = init.map((word) => word.replace(/^<app$/, 'my-app')).filter((word) => word !== 'id>');
    run(folder, words);
    // The name of the file is the one that the README says.
    const [made] = readdirSync(folder);
    assert.match(
      readFileSync(path.join(root, file), 'utf8'),
      new RegExp(`writes \`?${made.replace('.', '\\.')}`),
    );
    await starts(t, folder, start);
  });
}

test('what init prints is what the README says: variables, and a manifest that Forge finds nothing wrong in', (t) => {
  const folder = emptyFolder(t);
  const printed = run(folder, ['init', '--app', 'my-app', '--host', 'relay.example']);
  const lines = manifestLines(printed);
  assert.deepEqual(complaints(folder, lines), []);
  const text = readFileSync(path.join(root, 'pkg/README.md'), 'utf8');
  const [, yaml] = /^```yaml\n(permissions:[\s\S]*?)^```/m.exec(text);
  assert.equal(lines, yaml.replace(/^ *#.*\n/gm, ''));
  const sets = (shown) =>
    [...shown.matchAll(/^ *forge variables set (.*)$/gm)].map(([, words]) =>
      words.replace(/[0-9a-f]{12}\.\S+/, '<key id>.<secret>'),
    );
  assert.deepEqual(sets(printed), sets(text));
});

test('init for a tunnel prints what the README says, and a manifest that Forge finds nothing wrong in', (t) => {
  const folder = emptyFolder(t);
  const printed = run(folder, ['init', '--local', '--app', 'my-app']);
  assert.deepEqual(complaints(folder, manifestLines(printed)), []);
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

test('a validation that finds nothing would find what is wrong', (t) => {
  const folder = emptyFolder(t);
  const wrong = 'permissions:\n  external:\n    fetch:\n      client:\n        - address: no address\n';
  assert.notDeepEqual(complaints(folder, wrong), []);
});
