// `npx sealwire migrate` of the packed package, on an app with the calls of Forge's documentation of Realtime. The migrated app
// compiles, runs on sealwire/testing, and Forge's own bundler bundles it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import * as esbuild from 'esbuild';

import { bundle } from './support/forge-bundler.mjs';
import { findings } from './support/forge-lint.mjs';
import { node, project, root, write } from './support/project.mjs';
import { compilers } from './support/typescript.mjs';

const APP = path.join(root, 'tests/packaging/app/forge-realtime');
const PACKAGES = [
  '@forge/bridge',
  '@forge/kvs',
  '@forge/resolver',
  'react',
  '@types/react',
  '@types/prop-types',
];

/** The app as it was for Forge Realtime, committed, with the packed package beside it. */
function app(t) {
  const folder = project(t, { packages: [...PACKAGES, 'csstype', '@forge/realtime'] });
  cpSync(APP, folder, { recursive: true });
  write(folder, { '.gitignore': 'node_modules\ntmp\n*.out.mjs\n' });
  commit(folder);
  return folder;
}

function commit(folder) {
  const git = (...args) => execFileSync('git', ['-c', 'commit.gpgsign=false', ...args], { cwd: folder });
  git('init', '--quiet');
  git('add', '--all');
  git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '--quiet', '-m', 'A state');
}

function migrate(folder, ...args) {
  const program = path.join(folder, 'node_modules/.bin/sealwire');
  const { status, stdout, stderr } = spawnSync(program, ['migrate', ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

const read = (folder, name) => readFileSync(path.join(folder, name), 'utf8');

function replace(folder, name, before, after) {
  const text = read(folder, name);
  assert.ok(text.includes(before), `${name} has ${before}`);
  writeFileSync(path.join(folder, name), text.replace(before, after));
}

/** Decides what the command reports, as docs/forge.md says: a session, authorize, wrap() and the token function. */
function decide(folder) {
  replace(
    folder,
    'src/index.ts',
    "import { Jira, publish, publishGlobal, signRealtimeToken } from 'sealwire/realtime';",
    "import { createRealtime, Jira, verifyIssue } from 'sealwire/resolver';",
  );
  replace(
    folder,
    'src/index.ts',
    'const resolver = new Resolver();',
    'const realtime = createRealtime({ authorize: verifyIssue });\n' +
      'const { publish, publishGlobal, signRealtimeToken } = realtime;\nconst resolver = new Resolver();\n\n' +
      "resolver.define('sealwire:session', realtime.session);",
  );
  replace(folder, 'src/index.ts', 'resolver.getDefinitions()', 'realtime.wrap(resolver.getDefinitions())');
  replace(folder, 'src/index.ts', ".message === 'RATE_LIMIT_EXCEEDED'", ".code === 'RATE_LIMITED'");
  replace(
    folder,
    'src/index.ts',
    'accountId: context.accountId });',
    'accountId: context.accountId }, undefined, {});',
  );
  replace(folder, 'src/index.ts', "['publish']);", "['publish'], {});");
  replace(folder, 'static/panel/src/channels.ts', '{ token }', '{ token: fetchToken }');
  replace(
    folder,
    'manifest.yml',
    '    - read:jira-work',
    `    - read:jira-work\n    - storage:app\n${EGRESS}`,
  );
}

const EGRESS = `  external:
    fetch:
      client: [{ address: 'wss://relay.example', inScopeEUD: true }, { address: 'https://relay.example', inScopeEUD: true }]
      backend: [{ address: 'https://relay.example', inScopeEUD: true }]`;

/** The app after the command and after every decision. */
let migrated;
const ends = [];
after(() => ends.forEach((end) => end()));
before(() => {
  migrated = app({ after: (end) => ends.push(end) });
  migrate(migrated);
  decide(migrated);
  commit(migrated);
});

test('the command migrates the imports of the app and names each decision with its line', (t) => {
  const folder = app(t);
  const report = migrate(folder);
  assert.match(read(folder, 'src/index.ts'), /signRealtimeToken \} from 'sealwire\/realtime';/);
  const channels = read(folder, 'static/panel/src/channels.ts');
  assert.match(channels, /^import \{ invoke \} from '@forge\/bridge';$/m);
  assert.match(channels, /^import \{ Jira, realtime, type SubscriptionOptions \} from 'sealwire';$/m);
  const panel = read(folder, 'static/panel/src/Panel.tsx');
  assert.match(
    panel,
    /^import \* as bridge from '@forge\/bridge';\nimport \* as sealwire from 'sealwire';$/m,
  );
  assert.match(panel, /sealwire\.realtime\.publish.*\n.*\n.*bridge\.view\.refresh/);
  const packages = ['package.json', 'static/panel/package.json'].map((name) =>
    JSON.parse(read(folder, name)),
  );
  assert.deepEqual(Object.keys(packages[0].dependencies), ['@forge/resolver', 'sealwire']);
  assert.deepEqual(Object.keys(packages[1].dependencies), ['@forge/bridge', 'react', 'sealwire']);

  for (const place of [
    'manifest.yml',
    'package.json',
    'src/index.ts:6',
    'src/index.ts:11',
    'src/index.ts:17',
    'src/index.ts:23',
    'src/index.ts:25',
    'src/index.ts:29',
    // The line behind the one that was added.
    'static/panel/src/channels.ts:10',
    'static/panel/src/channels.ts:17',
  ]) {
    assert.ok(report.includes(`  ${place}\n`), `${place} is in ${report}`);
  }
});

test('once everything is decided, the command has nothing to change and to report but what npm installs', () => {
  const folder = migrated;
  const report = migrate(folder);
  assert.match(report, /0 files changed, 1 place for you to decide/);
  assert.match(report, /npm install @forge\/kvs/);
});

for (const [version, compiler] of compilers) {
  test(`the migrated app compiles with TypeScript ${version}`, () => {
    const folder = migrated;
    const compilerOptions = { strict: true, noEmit: true, moduleResolution: 'bundler', types: ['react'] };
    const files = ['src/index.ts', 'static/panel/src/Panel.tsx'];
    write(folder, { 'check.json': JSON.stringify({ extends: './tsconfig.json', compilerOptions, files }) });
    const args = [compiler, '-p', 'check.json'];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
}

const MEET = `
  import { createTestRelay } from 'sealwire/testing';
  import { handler } from './src/index.ts';
  import { publishFromPage, subscribeToAll } from './static/panel/src/channels.ts';

  const relay = createTestRelay();
  const context = { moduleKey: 'panel', extension: { type: 'jira:issuePanel', issue: { id: '7' } } };
  const view = { context, handler, authorize: () => ({ properties: ['module', 'issue'] }), accountId: 'ada' };
  globalThis.testPage = relay.realtime(view);
  const invoke = (name, payload) => relay.invoke(handler, name, payload, globalThis.testPage);
  globalThis.testInvoke = invoke;

  const heard = [];
  const unsubscribe = await subscribeToAll((from, note) => heard.push([from, note.text ?? note]), '');
  await invoke('say', { text: 'a' });
  await invoke('sayInIssue', { text: 'b' });
  await invoke('sayToAll', { text: 'c' });
  await invoke('sayToMe', { text: 'd' });
  await publishFromPage('e');
  await relay.settled();
  await unsubscribe();
  await publishFromPage('unheard');
  await relay.settled();
  // Channels have an order of their own each.
  console.log(JSON.stringify(heard.sort(([, a], [, b]) => a.localeCompare(b))));
`;

/** The page's modules, as a test of the app replaces them. */
const STAND_INS = {
  sealwire:
    "export const realtime = new Proxy({}, { get: (_, name) => globalThis.testPage[name] }); export const Jira = { Issue: 'issue' };",
  '@forge/bridge': 'export const invoke = (name) => globalThis.testInvoke(name);',
};

const standIns = {
  name: 'stand-ins',
  setup(build) {
    build.onResolve({ filter: /^(?:sealwire|@forge\/bridge)$/ }, ({ path: name }) => ({
      path: name,
      namespace: 'test',
    }));
    build.onLoad({ filter: /.*/, namespace: 'test' }, ({ path: name }) => ({ contents: STAND_INS[name] }));
  },
};

test('pages and functions of the migrated app exchange messages on sealwire/testing', async () => {
  const folder = migrated;
  write(folder, { 'meet.mjs': MEET });
  const outfile = path.join(folder, 'meet.out.mjs');
  const entry = { entryPoints: [path.join(folder, 'meet.mjs')], outfile, absWorkingDir: folder };
  const external = ['sealwire/*', '@forge/kvs'];
  await esbuild.build({
    ...entry,
    external,
    bundle: true,
    format: 'esm',
    platform: 'node',
    plugins: [standIns],
  });
  assert.deepEqual(JSON.parse(node(folder, 'meet.out.mjs')), [
    ['panel', 'a'],
    ['issue', 'b'],
    ['site', 'c'],
    ['me', 'd'],
    ['panel', 'e'],
  ]);
});

test("Forge's validation accepts the manifest with the lines of the report", async () => {
  write(migrated, { 'static/panel/dist/index.html': '<html></html>' });
  assert.deepEqual((await findings(migrated)).manifest, []);
});

test("Forge's bundler bundles the migrated functions and the migrated page", async () => {
  const folder = migrated;
  const functions = await bundle('functions', folder, 'index');
  assert.match(read(functions, 'index.cjs'), /sealwire:session/);
  const page = await bundle('page', folder, 'static/panel/src/index.ts');
  assert.match(read(page, 'main.js'), /sealwire:session/);
});
