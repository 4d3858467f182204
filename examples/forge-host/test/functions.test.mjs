// The process that runs the app's functions.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { Functions } from '../src/platform/functions.mjs';
import { MEMBERS, SITE } from '../src/platform/members.mjs';
import { Storage } from '../src/platform/storage.mjs';

const BUNDLE = `
const kvs = { type: 'kvs' };
const ask = (target, path, body) => __forge_fetch__(target, path, { method: body ? 'POST' : 'GET', body: JSON.stringify(body) });
exports.handler = async ({ call: { functionKey, payload }, context }, runtime) => {
  switch (functionKey) {
    case 'who': return { context, account: runtime.principal.accountId, installation: runtime.installContext };
    case 'me': return (await ask({ type: 'fpp', remote: 'jira' }, '/rest/api/3/myself')).json();
    case 'set': return (await ask(kvs, '/api/v1/set', payload)).status;
    case 'get': return (await ask(kvs, '/api/v1/get', payload)).json();
    case 'fetch': return (await fetch(payload.url)).status;
    case 'variables': return Object.keys(process.env);
    case 'fail': throw new Error('on purpose');
  }
};`;

const [anna, ben] = MEMBERS;
const storage = new Storage();
/** @type {string} */
let folder;
/** @type {Functions} */
let functions;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forge-host-'));
  const bundle = path.join(folder, 'index.cjs');
  await writeFile(bundle, BUNDLE);
  const egress = ['http://127.0.0.1:1'];
  functions = await Functions.start({ bundle, variables: { SEALWIRE_APP: 'x' }, egress, storage });
});

after(async () => {
  await functions?.stop();
  await rm(folder, { recursive: true });
});

/**
 * @param {import('../src/platform/members.mjs').Member} member
 * @param {string} functionKey
 * @param {object} [payload]
 * @returns {Promise<any>}
 */
const invoke = (member, functionKey, payload = {}) =>
  functions.invoke(member, {
    moduleKey: 'absences',
    handler: 'handler',
    context: { moduleKey: 'absences', accountId: 'somebody else' },
    functionKey,
    payload,
  });

test('user and installation come from the platform', async () => {
  const { context, account, installation } = await invoke(anna, 'who', { accountId: ben.accountId });
  assert.equal(account, anna.accountId);
  assert.equal(installation, SITE.installContext);
  assert.equal(context.accountId, undefined);
});

test('Jira answers as the user for whom the function runs, also when two run at once', async () => {
  const people = await Promise.all([invoke(anna, 'me'), invoke(ben, 'me')]);
  assert.deepEqual(
    people.map(({ displayName }) => displayName),
    [anna.displayName, ben.displayName],
  );
});

test("a value is kept in the installation's storage", async () => {
  assert.equal(await invoke(anna, 'set', { key: 'k', value: 'v' }), 200);
  assert.equal((await invoke(ben, 'get', { key: 'k' })).value, 'v');
  assert.equal(storage.of(SITE.installContext).values.get('k')?.value, 'v');
});

test('an address that the manifest does not list cannot be fetched', async () => {
  await assert.rejects(
    invoke(anna, 'fetch', { url: 'http://localhost:1/' }),
    /permissions\.external\.fetch\.backend/,
  );
});

test('a function sees the Forge variables and nothing else of the environment', async () => {
  const variables = await invoke(anna, 'variables');
  assert.deepEqual(
    variables.filter((/** @type {string} */ name) => !name.startsWith('NODE_CHANNEL')),
    ['SEALWIRE_APP'],
  );
});

test('an error of a function reaches the caller', async () => {
  await assert.rejects(invoke(anna, 'fail'), /on purpose/);
});
