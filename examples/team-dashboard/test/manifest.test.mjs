import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { validate } from '@forge/manifest';
import { parseManifest } from '../../forge-host/src/app/manifest.mjs';
import { join } from '../src/rotation/changes.js';
import { EMPTY } from '../src/rotation/schedule.js';
import { ENTITY } from '../src/rotation/store.js';

const APP = fileURLToPath(new URL('..', import.meta.url));

test('the manifest declares every attribute of a rotation that is stored', async () => {
  const person = { accountId: 'anna', name: 'Anna' };
  const rotation = join(EMPTY, { now: Date.now(), absences: [] }, person, 'UTC');
  const { app } = /** @type {any} */ (await parseManifest(APP));
  const [entity] = app.storage.entities;
  assert.equal(entity.name, ENTITY);
  assert.deepEqual(Object.keys(entity.attributes).sort(), Object.keys(rotation).sort());
});

test("Forge's validation accepts the manifest without a warning", async () => {
  // The copy has empty pages in place of the built Custom UI.
  const folder = await mkdtemp(path.join(tmpdir(), 'team-dashboard-'));
  try {
    await cp(path.join(APP, 'manifest.yml'), path.join(folder, 'manifest.yml'));
    await cp(path.join(APP, 'src'), path.join(folder, 'src'), { recursive: true });
    for (const gadget of ['absences', 'rotation']) {
      const dist = path.join(folder, 'static', gadget, 'dist');
      await mkdir(dist, { recursive: true });
      await writeFile(path.join(dist, 'index.html'), '<html></html>');
    }
    process.chdir(folder);
    const { success, errors } = await validate(false, 'manifest.yml');
    assert.deepEqual(errors, []);
    assert.equal(success, true);
  } finally {
    process.chdir(APP);
    await rm(folder, { recursive: true });
  }
});
