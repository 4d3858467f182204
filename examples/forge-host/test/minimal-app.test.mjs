// The minimal app of examples/minimal: Forge accepts its manifest, it bundles, and a note reaches another user.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { createTestRelay } from 'sealwire/testing';
import { bundleFunctions } from '../src/app/build.mjs';
import { problemsOf } from '../src/app/manifest.mjs';

const APP = fileURLToPath(new URL('../../minimal', import.meta.url));

/** @type {string} */
let folder;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'minimal-'));
});

after(() => rm(folder, { recursive: true }));

test("Forge's validation accepts the minimal app's manifest without a warning", async () => {
  assert.deepEqual(await problemsOf(APP), []);
});

test("the minimal app's page can be bundled", async () => {
  await esbuild.build({
    entryPoints: [path.join(APP, 'page/main.js')],
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: path.join(folder, 'page'),
    logLevel: 'silent',
  });
  assert.ok((await readdir(path.join(folder, 'page'))).includes('main.js'));
});

test("a note from the minimal app's function reaches another user of the issue", async () => {
  const { handler } = createRequire(import.meta.url)(await bundleFunctions(APP, 'index', folder));
  const relay = createTestRelay();
  const view = {
    context: { moduleKey: 'notes', extension: { type: 'jira:issuePanel', issue: { id: '10042' } } },
    handler,
    // The test has no Jira to ask.
    authorize: () => ({ properties: ['module', 'issue'] }),
  };
  const [anna, ben] = ['anna', 'ben'].map((accountId) => relay.realtime({ ...view, accountId }));
  /** @type {unknown[]} */
  const notes = [];
  await ben.subscribe('notes', (note) => notes.push(note));
  await relay.invoke(handler, 'addNote', { text: 'Done.' }, anna);
  await relay.settled();
  assert.deepEqual(notes, [{ text: 'Done.' }]);
});
