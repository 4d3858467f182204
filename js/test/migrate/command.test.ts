// `sealwire migrate` on a folder: what it writes, what it refuses to write, and what it leaves alone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, statSync, chmodSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { migrateCommand } from '../../src/migrate/command.js';
import { commit, folder, git, repository, text, texts, write } from '../support/app-folder.js';

const PAGE = `import { invoke, realtime } from '@forge/bridge';\nrealtime.subscribe('notes', show);\ninvoke('x');\n`;
const MOVED = PAGE.replace(
  `{ invoke, realtime } from '@forge/bridge';`,
  `{ invoke } from '@forge/bridge';\nimport { realtime } from 'sealwire';`,
);
const APP = {
  'manifest.yml': 'app:\n  id: x\n',
  'package.json': `${JSON.stringify({ name: 'app', dependencies: { '@forge/realtime': '1.0.1', '@forge/resolver': '2.0.1' } }, null, 2)}\n`,
  'src/index.js': `import { publish } from '@forge/realtime';\nimport Resolver from '@forge/resolver';\nnew Resolver();\npublish('a', {});\n`,
  'static/page/package.json': `{\n\t"dependencies": {\n\t\t"@forge/bridge": "7.2.0",\n\t\t"react": "18"\n\t}\n}`,
  'static/page/src/App.jsx': PAGE,
};

function migrate(root: string, ...options: string[]) {
  return migrateCommand([root, ...options], '1.2.3');
}

test('an app is migrated with its package.json files, and a second run writes nothing', (t) => {
  const root = repository(t, APP);
  const { status, out, error } = migrate(root);
  assert.equal(status, 0, error);
  assert.equal(text(root, 'static/page/src/App.jsx'), MOVED);
  assert.match(text(root, 'src/index.js'), /^import \{ publish \} from 'sealwire\/realtime';\n/);
  const functions = JSON.parse(text(root, 'package.json')) as { dependencies: object };
  assert.deepEqual(functions.dependencies, { '@forge/resolver': '2.0.1', sealwire: '^1.2.3' });
  assert.equal(
    text(root, 'static/page/package.json'),
    `{\n\t"dependencies": {\n\t\t"@forge/bridge": "7.2.0",\n\t\t"react": "18",\n\t\t"sealwire": "^1.2.3"\n\t}\n}`,
    'the indentation and the missing last line break stay',
  );
  assert.match(out, /2 source files read, 4 files changed/);
  assert.match(out, /npm install` in \. and static\/page/);

  commit(root);
  const again = migrate(root);
  assert.match(again.out, /0 files changed/);
  assert.equal(git(root, 'status', '--porcelain'), '');
});

test('a package that a file still names stays in package.json', (t) => {
  const mock = `jest.mock('@forge/realtime', () => ({}));\n`;
  const root = folder(t, { ...APP, 'test/index.test.js': mock });
  migrate(root, '--force');
  const { dependencies } = JSON.parse(text(root, 'package.json')) as { dependencies: object };
  assert.deepEqual(Object.keys(dependencies), ['@forge/realtime', '@forge/resolver', 'sealwire']);
});

test('the lines of the report are those of the files as they are after the run', (t) => {
  const page = `${PAGE}realtime.publish('notes', [1]);\n`;
  const root = folder(t, { 'page.js': page });
  assert.match(migrate(root, '--dry-run').out, / page\.js:4\n/);
  assert.match(migrate(root, '--force').out, / page\.js:5\n/);
  assert.match(text(root, 'page.js').split('\n')[4]!, /publish/);
});

test('the diff of a dry run is what a run writes, and a dry run writes nothing', (t) => {
  const before = { ...APP, 'src/no-line-break.js': `const { realtime, view } = require('@forge/bridge')` };
  const root = repository(t, before);
  const { out, status } = migrate(root, '--dry-run');
  assert.equal(status, 0);
  assert.deepEqual(texts(root), texts(repository(t, before)));
  const patch = out.slice(0, out.indexOf('3 source files read'));

  const patched = repository(t, before);
  execFileSync('git', ['apply', '-'], { cwd: patched, input: patch });
  assert.equal(migrate(root).status, 0);
  assert.deepEqual(texts(patched), texts(root));
});

test('a folder whose changes git could not undo is not changed without --force', (t) => {
  const committed = repository(t, APP);
  write(committed, { 'src/other.js': '// not committed\n' });
  const dirty = migrate(committed);
  assert.equal(dirty.status, 1);
  assert.match(dirty.error, /1 changes that are not committed \(src\/other\.js\).*Nothing was written/s);
  assert.equal(text(committed, 'static/page/src/App.jsx'), PAGE);
  assert.equal(migrate(committed, '--dry-run').status, 0);

  const bare = folder(t, APP);
  const refused = migrate(bare);
  assert.match(refused.error, /in no git repository/);
  assert.equal(text(bare, 'static/page/src/App.jsx'), PAGE);
  assert.equal(migrate(bare, '--force').status, 0);
  assert.equal(text(bare, 'static/page/src/App.jsx'), MOVED);
});

test('changes elsewhere in the repository do not concern the folder of the app', (t) => {
  const root = repository(t, { 'app/src/page.js': PAGE });
  write(root, { 'notes.txt': 'not committed' });
  assert.equal(migrate(path.join(root, 'app')).status, 0);
  assert.equal(text(root, 'app/src/page.js'), MOVED);
});

test('nothing outside of the folder is written, through links of either kind', (t) => {
  const outside = folder(t, { 'file.js': PAGE, 'hard.js': PAGE, 'folder/page.js': PAGE });
  const root = folder(t, { 'src/own.js': PAGE });
  symlinkSync(path.join(outside, 'file.js'), path.join(root, 'src/link.js'));
  symlinkSync(path.join(outside, 'folder'), path.join(root, 'src/folder'));
  linkSync(path.join(outside, 'hard.js'), path.join(root, 'src/hard.js'));
  const { out, status } = migrate(root, '--force');
  assert.equal(status, 0);
  assert.deepEqual(texts(outside), { 'file.js': PAGE, 'folder/page.js': PAGE, 'hard.js': PAGE });
  assert.equal(text(root, 'src/own.js'), MOVED);
  assert.equal(text(root, 'src/hard.js'), MOVED, 'the file of the app is another one now');
  assert.match(out, /Not followed.*\n {2}src\/folder\n {2}src\/link\.js\n/);
});

test('files that are not the app’s own are left alone', (t) => {
  const others = {
    'node_modules/a/index.js': PAGE,
    'static/page/node_modules/b/index.js': PAGE,
    '.cache/page.js': PAGE,
    'static/page/dist/main.js': PAGE,
    'vendor/lib/page.js': PAGE,
  };
  const root = repository(t, { ...APP, '.gitignore': 'dist\nnode_modules\n', ...others });
  git(path.join(root, 'vendor/lib'), 'init', '--quiet');
  const { out } = migrate(root, '--force');
  for (const name of Object.keys(others)) assert.equal(text(root, name), PAGE, name);
  assert.match(out, /Not followed.*\n {2}vendor\/lib\n/);
  assert.match(out, /2 source files read/);
});

test('files that cannot be read or parsed are reported with their line, and the others are migrated', (t) => {
  const root = folder(t, {
    'page.js': PAGE,
    'broken.js': `import { realtime } from '@forge/bridge';\nconst = 1;\n`,
    'huge.js': `${PAGE}//${' '.repeat(2 * 1024 * 1024)}`,
    'binary.js': Buffer.from(`\0${PAGE}`),
    'latin.js': Buffer.from(`${PAGE}// \xe9\n`, 'latin1'),
    'deep.js': `import { realtime } from '@forge/bridge';\n${'('.repeat(50_000)}`,
    'unrelated.js': `// ${' '.repeat(2 * 1024 * 1024)}`,
    'far.js': `${' '.repeat(2 * 1024 * 1024 + 64 * 1024 - 7)}${PAGE}`,
    'App.vue': `<script>\n${PAGE}</script>`,
    'package.json': '{ not JSON',
  });
  const before = texts(root);
  const { out, status } = migrate(root, '--force');
  assert.equal(status, 0);
  assert.deepEqual(texts(root), { ...before, 'page.js': MOVED });
  const says = (message: string, place: string) => {
    const at = out.indexOf(`\n  ${message}`);
    assert.ok(at >= 0 && out.slice(at).includes(`\n      ${place}\n`), `${message} ${place} in ${out}`);
  };
  says('The file cannot be parsed, and was not changed: Unexpected token', 'broken.js:2');
  says('The file cannot be parsed, and was not changed: Maximum call stack', 'deep.js');
  says('The file was not changed: it has more than 2 MiB.', 'huge.js');
  says('The file was not changed: it has more than 2 MiB.', 'far.js');
  says('The file was not changed: it is a binary file.', 'binary.js');
  says('The file was not changed: it is not UTF-8.', 'latin.js');
  says('Files of this kind are not changed.', 'App.vue');
  says('This is no JSON object.', 'package.json');
  assert.doesNotMatch(out, /unrelated/);
});

test('a changed file keeps its permissions', (t) => {
  const root = folder(t, { 'page.js': PAGE });
  chmodSync(path.join(root, 'page.js'), 0o755);
  migrate(root, '--force');
  assert.equal(statSync(path.join(root, 'page.js')).mode & 0o777, 0o755);
});

test('a file name cannot control the terminal', (t) => {
  const root = folder(t, {
    'src/\u001b[2J\u202e.js': `import { realtime } from '@forge/bridge';\nconst = 1;\n`,
  });
  const { out } = migrate(root, '--force');
  assert.match(out, /src\/\\x1b\[2J\\x202e\.js:2/);
  assert.ok(!out.includes('\u001b'));
});

test('wrong arguments are refused with the usage', () => {
  for (const args of [['--fast'], ['a', 'b'], ['/no/such/folder']]) {
    const { status, error, out } = migrateCommand(args, '1.2.3');
    assert.equal(status, 2);
    assert.notEqual(error, '');
    assert.equal(out, '');
  }
  assert.match(migrateCommand(['--help'], '1.2.3').out, /^Usage: sealwire migrate/);
});
