import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { validate } from '@forge/manifest';

const APP = fileURLToPath(new URL('..', import.meta.url));

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
