// Forge's own bundler builds functions and pages with the package, in JavaScript and in TypeScript. Functions have no
// tsconfig unless the app has one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { bundle, runBundler } from './support/forge-bundler.mjs';
import { assertPageWorks } from './support/page-outcome.mjs';
import { node, project, root } from './support/project.mjs';
import { assertResolverWorks } from './support/resolver-outcome.mjs';

const source = (name) => readFileSync(path.join(root, 'tests/packaging/app', name), 'utf8');

const MAIN = `
  import * as sealwire from 'sealwire/resolver';
  import { exerciseResolver } from './exercise.js';
  exerciseResolver(sealwire).then((outcome) => console.log(JSON.stringify(outcome)));
`;

const TYPED = `
  import { createRealtime, SealwireError, verifyIssue, type PublishResult } from 'sealwire/resolver';
  import { publish } from 'sealwire/realtime';
  declare const require: (name: string) => any;
  const sealwire = require('sealwire/resolver');
  const { exerciseResolver } = require('./exercise.js');
  exerciseResolver(sealwire).then(function (outcome: object) { console.log(JSON.stringify(outcome)); });

  const realtime = createRealtime({ authorize: verifyIssue });
  export const handler = realtime.wrap(function (event: { text: string }, context: { installContext: string }) {
    return realtime.publish('notes', event, { context: context });
  });
  export const failed = function (thrown: unknown) { return thrown instanceof SealwireError ? thrown.code : ''; };
  export const published: Promise<PublishResult> | undefined = undefined;
  export const other = function () { return publish('notes', { text: 'x' }); };
`;

/** Asserts that the bundle of a function is one file, because Forge does not deploy further chunks. */
function assertOneFile(out, name) {
  const scripts = readdirSync(out).filter((file) => /\.[cm]?js$/.test(file));
  assert.deepEqual(scripts, [`${name}.cjs`]);
}

for (const [language, file, main] of [
  ['JavaScript', 'src/index.js', MAIN],
  ['TypeScript', 'src/index.ts', TYPED],
]) {
  test(`a function in ${language}, bundled by Forge, mints a session and seals`, async (t) => {
    const files = { [file]: main, 'src/exercise.js': source('exercise-resolver.mjs') };
    const folder = project(t, { files, packages: ['@forge/kvs'] });
    const out = await bundle('functions', folder, 'index');
    assertOneFile(out, 'index');
    assertResolverWorks(node(out, 'index.cjs'));
  });
}

test('Forge refuses to bundle a function with a type error in a call of the package', async (t) => {
  const wrong = `import { publish } from 'sealwire/resolver';\nexport const handler = () => publish('notes', [1]);\n`;
  const folder = project(t, { files: { 'src/index.ts': wrong }, packages: ['@forge/kvs'] });
  const { complaints } = await runBundler('functions', folder, 'index');
  assert.match(complaints, /number\[\]/);
});

const TYPED_PAGE = `
  import { realtime, type Realtime } from 'sealwire';
  import { useChannel } from 'sealwire/react';
  export const same: Realtime = realtime;
  export const hook: typeof useChannel = useChannel;
  import './rest.js';
`;

// Forge's TypeScript templates use the resolution that ignores `exports`.
const TSCONFIG = JSON.stringify({
  compilerOptions: { target: 'es2020', module: 'esnext', moduleResolution: 'node', skipLibCheck: true },
});

for (const [language, files] of [
  ['JavaScript', { 'page.jsx': source('page.mjs') }],
  ['TypeScript', { 'page.tsx': TYPED_PAGE, 'rest.js': source('page.mjs'), 'tsconfig.json': TSCONFIG }],
]) {
  test(`a page in ${language}, bundled by Forge, loads the core that its policy allows`, async (t) => {
    const folder = project(t, { files, packages: ['react', '@types/react', '@types/prop-types', 'csstype'] });
    const out = await bundle('page', folder, Object.keys(files)[0]);
    const chunks = readdirSync(out).filter((name) => name.endsWith('.js') && name !== 'main.js');
    const text = (name) => readFileSync(path.join(out, name), 'utf8');
    const wasmChunk = chunks.find((name) => /DecompressionStream\(.deflate.\)/.test(text(name)));
    const jsChunk = chunks.find((name) => name !== wasmChunk && text(name).length > 300_000);
    await assertPageWorks(out, { wasmChunk, jsChunk });
  });
}
