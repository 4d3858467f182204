// The example's functions, called by a user who replays a call with another context.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundleFunctions } from '../src/app/build.mjs';
import { dayFromToday } from '../src/check/days.mjs';
import { Functions } from '../src/platform/functions.mjs';
import { contextOf, MEMBERS, TIME_ZONE } from '../src/platform/members.mjs';
import { Storage } from '../src/platform/storage.mjs';

const APP = fileURLToPath(new URL('../../team-dashboard', import.meta.url));
const ABSENCES = { key: 'absences', place: 1 };
const ROTATION = { key: 'rotation', place: 0 };

const [anna, ben, cleo] = MEMBERS;
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
 * @param {Record<string, unknown>} [payload]
 * @returns {Promise<any>}
 */
const invoke = (member, functionKey, context = {}, payload = { reason: 'connect' }) => {
  const gadget = functionKey.startsWith('rotation') ? ROTATION : ABSENCES;
  return functions.invoke(member, {
    moduleKey: gadget.key,
    handler: 'handler',
    context: { ...contextOf(member, gadget), ...context },
    functionKey,
    payload,
  });
};

const annas = { extension: contextOf(anna, ABSENCES).extension };

test('a user gets a session for their own dashboard and no other property of the context', async () => {
  const grant = await invoke(anna, 'sealwire:session');
  assert.deepEqual(grant.context, { module: ABSENCES.key, dashboard: anna.dashboard.id });
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
    { extension: { ...contextOf(cleo, ABSENCES).extension, type: 'jira:globalPage' } },
  ]) {
    await assert.rejects(invoke(cleo, 'sealwire:session', forged), /than the platform/);
  }
});

test('another account in the context has no effect', async () => {
  const grant = await invoke(cleo, 'sealwire:session', { accountId: anna.accountId });
  assert.deepEqual(grant.context, { module: ABSENCES.key, dashboard: cleo.dashboard.id });
});

test("another user's dashboard in the context neither shows nor changes its rotation", async () => {
  await invoke(anna, 'rotation.join');
  for (const name of ['get', 'join', 'leave', 'takeOver', 'swap'])
    await assert.rejects(invoke(cleo, `rotation.${name}`, annas), /authorize\(\) refused/, name);
  const { rotation } = await invoke(anna, 'rotation.get');
  assert.deepEqual(
    rotation.people.map((/** @type {{ name: string }} */ { name }) => name),
    [anna.displayName],
  );
  assert.equal((await invoke(cleo, 'rotation.get')).rotation.version, 0);
  await invoke(anna, 'rotation.leave');
});

test('the caller joins a rotation, with the name and the time zone that Jira returns', async () => {
  const forged = { accountId: cleo.accountId, name: 'Mallory', person: cleo, timeZone: 'UTC', version: 99 };
  const { rotation } = await invoke(anna, 'rotation.join', { accountId: cleo.accountId }, forged);
  assert.deepEqual(rotation.people, [{ accountId: anna.accountId, name: anna.displayName }]);
  assert.equal(rotation.timeZone, TIME_ZONE);
  assert.ok(rotation.version < 99);
});

test('accounts that are no members, oversize input and made-up days change nothing', async () => {
  await invoke(ben, 'rotation.join');
  const before = (await invoke(anna, 'rotation.get')).rotation;
  const [today] = before.history.slice(-1);
  const huge = 'x'.repeat(1_000_000);
  for (const { name, payload } of [
    { name: 'takeOver', payload: { day: today.day, from: cleo.accountId } },
    { name: 'takeOver', payload: { day: today.day, from: huge } },
    { name: 'takeOver', payload: { day: '2020-01-01', from: anna.accountId } },
    { name: 'takeOver', payload: { day: [today.day], from: { $ne: null } } },
    { name: 'swap', payload: { day: today.day, otherDay: today.day, other: cleo.accountId } },
    { name: 'swap', payload: { day: huge, otherDay: huge, other: huge } },
    { name: 'swap', payload: {} },
  ]) {
    const { refused, rotation } = await invoke(ben, `rotation.${name}`, {}, payload);
    assert.equal(typeof refused, 'string');
    assert.ok(refused.length < 200);
    assert.deepEqual(rotation, before);
  }
});

test('an absence of today changes the rotation that is stored, and its end changes it back', async () => {
  const onDuty = async () => (await invoke(ben, 'rotation.get')).rotation.history.at(-1).person.name;
  assert.equal(await onDuty(), anna.displayName);
  const day = dayFromToday(0);
  const { id } = await invoke(anna, 'absences.add', {}, { kind: 'sick', from: day, to: day });
  assert.equal(await onDuty(), ben.displayName);
  await invoke(anna, 'absences.remove', {}, { id });
  assert.equal(await onDuty(), anna.displayName);
});
