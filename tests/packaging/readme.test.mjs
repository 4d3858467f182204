// The examples of the READMEs compile and run, and their commands install the packages that the examples need.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

import { project, root } from './support/project.mjs';
import { blocks, imports, installs, readme } from './support/readme.mjs';
import { compilers } from './support/typescript.mjs';

const SIDES = [
  ['functions', ['@forge/kvs', '@forge/resolver', 'sealwire']],
  ['pages', ['@forge/bridge', 'sealwire']],
];

for (const file of ['README.md', 'pkg/README.md']) {
  test(`the npm commands of ${file} install every package that a Custom UI app needs`, () => {
    assert.deepEqual(
      installs(readme(file)).map((names) => names.sort()),
      SIDES.map(([, names]) => names),
    );
    const installed = new Set([...SIDES.flatMap(([, names]) => names), 'react', 'vitest']);
    const code = ['js', 'jsx'].flatMap((language) => blocks(readme(file), language)).join('\n');
    for (const name of imports(code)) {
      const [scope, rest] = name.split('/');
      assert.ok(
        installed.has(scope.startsWith('@') ? `${scope}/${rest}` : scope),
        `${name} is not installed`,
      );
    }
  });
}

/** Declarations of the names that the examples take from their app. */
const AROUND = `
declare module '@forge/resolver' {
  export default class Resolver {
    define(name: string, work: (request: { payload: any; context: any }) => any): this;
    getDefinitions(): (request: any, runtime?: any) => Promise<any>;
  }
}
declare function apply(change: unknown): void;
declare function show(what: unknown): void;
declare function showAvatars(members: readonly unknown[]): void;
declare function reload(): void;
declare function reloadEverything(error: unknown): void;
declare function save(dashboard: string | undefined, payload: unknown): Promise<object>;
declare function invoke(name: string, payload?: unknown): Promise<any>;
declare function answer(question: string): Iterable<string>;
declare const callback: (payload: unknown) => void;
declare const question: string;
declare const queue: { push(job: object): Promise<unknown> };
declare const resolver: import('@forge/resolver').default;
`;

const NAMES = [
  ['sealwire', ['realtime', 'Jira']],
  ['sealwire/resolver', ['createRealtime', 'verifyIssue']],
];

/** Adds the imports and declarations of names that a block uses without declaring them. */
function completed(block, isResolver) {
  const missing = NAMES.flatMap(([from, names]) => {
    if (isResolver !== (from === 'sealwire/resolver')) return [];
    const used = names.filter(
      (name) =>
        new RegExp(`\\b${name}\\b`).test(block) &&
        !new RegExp(`import [^;]*\\b${name}\\b|const ${name}\\b`).test(block),
    );
    return used.length > 0 ? [`import { ${used.join(', ')} } from '${from}';`] : [];
  });
  const consumes = /\bevent\.body\b/.test(block) ? 'declare const event: { body: any };' : '';
  const resolverSide = isResolver && /\brealtime\./.test(block) && !/const realtime\b/.test(block);
  const made = resolverSide ? `declare const realtime: import('sealwire/resolver').Realtime;` : '';
  return `${missing.join('\n')}\n${made}\n${consumes}\n${block}\nexport {};\n`;
}

const ON_A_FUNCTION = /sealwire\/resolver|createRealtime|resolver\.define|publishStream|signRealtimeToken/;

for (const [version, tsc] of compilers) {
  for (const file of ['README.md', 'pkg/README.md']) {
    test(`the examples of ${file} compile under TypeScript ${version}`, (t) => {
      const files = { 'around.d.ts': AROUND };
      for (const [index, block] of blocks(readme(file), 'js').entries()) {
        if (/from '\.\./.test(block)) continue;
        files[`example-${index}.ts`] = completed(block, ON_A_FUNCTION.test(block));
      }
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2022', 'dom'],
        module: 'esnext',
        moduleResolution: 'bundler',
        moduleDetection: 'force',
        strict: true,
        noImplicitAny: false,
        noEmit: true,
        types: [],
      };
      files['tsconfig.json'] = JSON.stringify({ compilerOptions, include: ['*.ts'] });
      const folder = project(t, { files });
      const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    });
  }
}

test("the README's app passes the README's test", (t) => {
  const all = blocks(readme(), 'js');
  const exported = all.filter((block) => block.includes('export const handler') && block.includes('addNote'));
  const tested = all.filter((block) => block.includes('relay.invoke(handler'));
  assert.deepEqual([exported.length, tested.length], [1, 1]);
  const manifest = { type: 'module' };
  const files = { 'src/index.js': exported[0], 'test/notes.test.js': tested[0] };
  const folder = project(t, { files, manifest, packages: ['@forge/resolver', 'vitest'] });
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', '--root', folder], {
    cwd: folder,
    env: { ...process.env, CI: 'true', NO_COLOR: '1' },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /Tests +1 passed/);
});
