// The example's functions, called by a user who replays a call with another context.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundleFunctions } from '../src/app/build.mjs';
import { Functions } from '../src/platform/functions.mjs';
import { contextOf, MEMBERS } from '../src/platform/members.mjs';
import { Storage } from '../src/platform/storage.mjs';

const APP = fileURLToPath(new URL('../../team-dashboard', import.meta.url));
const KEY = 'absences';

const [anna, , cleo] = MEMBERS;
/** @type {string} */
let folder;
/** @type {Functions} */
let functions;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forge-host-'));
  const bundle = await bundleFunctions(APP, 'index', folder);
  const variables = {
    SEALWIRE_URL: 'ws://127.0.0.1:1',
    SEALWIRE_APP: 'app',
    SEALWIRE_SIGNING_KEY: `k1.${Buffer.alloc(64, 7).toString('base64url')}`,
  };
  functions = await Functions.start({
    bundle,
    variables,
    egress: ['http://127.0.0.1:1'],
    storage: new Storage(),
  });
});

after(async () => {
  await functions?.stop();
  await rm(folder, { recursive: true });
});

/**
 * @param {import('../src/platform/members.mjs').Member} member
 * @param {string} functionKey
 * @param {Record<string, unknown>} [context] the properties with which the caller overwrites the real context
 * @returns {Promise<any>}
 */
const invoke = (member, functionKey, context = {}) =>
  functions.invoke(member, {
    moduleKey: KEY,
    handler: 'handler',
    context: { ...contextOf(member, KEY), ...context },
    functionKey,
    payload: { reason: 'connect' },
  });

const annas = { extension: contextOf(anna, KEY).extension };

test('a user gets a session for their own dashboard and no other property of the context', async () => {
  const grant = await invoke(anna, 'sealwire:session');
  assert.deepEqual(grant.context, { module: KEY, dashboard: anna.dashboard.id });
  assert.deepEqual((await invoke(cleo, 'absences.list')).absences, []);
});

test("another user's dashboard in the context gives no session and no absences", async () => {
  await assert.rejects(
    invoke(cleo, 'sealwire:session', annas),
    /authorize\(\) refused the session.*PERMISSION_MISSING/,
  );
  await assert.rejects(invoke(cleo, 'absences.list', annas), /authorize\(\) refused/);
  await assert.rejects(invoke(cleo, 'absences.add', annas), /authorize\(\) refused/);
});

test('another module, type or environment in the context is refused', async () => {
  for (const forged of [
    { moduleKey: 'admin' },
    { environmentId: 'production' },
    { extension: { ...contextOf(cleo, KEY).extension, type: 'jira:globalPage' } },
  ]) {
    await assert.rejects(invoke(cleo, 'sealwire:session', forged), /than the platform/);
  }
});

test('another account in the context has no effect', async () => {
  const grant = await invoke(cleo, 'sealwire:session', { accountId: anna.accountId });
  assert.deepEqual(grant.context, { module: KEY, dashboard: cleo.dashboard.id });
});
