// The server with a real relay: members of a room get its notes, others get nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { createRealtime } from 'sealwire';
import { Relay, writeConfig } from '../../forge-host/src/relay/relay-process.mjs';
import { Accounts } from '../src/accounts.mjs';
import { appServer } from '../src/app.mjs';
import { realtimeOf } from '../src/realtime.mjs';
import { FileSecrets } from '../src/secrets.mjs';

const program = /** @type {string} */ (process.env.SEALWIRE_TEST_RELAY);
/** @type {string} */
let folder;
/** @type {Relay} */
let relay;
/** @type {import('node:http').Server} */
let server;
/** @type {string} */
let origin;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'own-backend-'));
  const { config, variables } = await writeConfig(program, folder);
  relay = new Relay({ program, config });
  await relay.start();
  const accounts = new Accounts();
  accounts.add('anna', 'secret-a');
  accounts.add('ben', 'secret-b');
  const secrets = new FileSecrets(path.join(folder, 'data', 'secrets.json'));
  const { SEALWIRE_APP: app, SEALWIRE_SIGNING_KEY: signingKey } = variables;
  const url = `ws://127.0.0.1:${relay.port}`;
  server = appServer(accounts, realtimeOf({ url, app, signingKey, secrets }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
});

after(async () => {
  server.close();
  await relay.stop();
  await rm(folder, { recursive: true });
});

/**
 * @param {string} route
 * @param {unknown} body
 * @param {Record<string, string>} headers
 */
async function post(route, body, headers = {}) {
  const response = await fetch(origin + route, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

/**
 * @param {string} account
 * @param {string} password
 */
async function bearer(account, password) {
  const { status, body } = await post('/token', { account, password });
  assert.equal(status, 200);
  return { authorization: `Bearer ${body.token}` };
}

/**
 * @param {string} room
 * @param {Record<string, string>} headers
 * @param {import('sealwire').RealtimeOptions} options
 */
const client = (room, headers, options = {}) =>
  createRealtime({
    session: async (request) => {
      const { status, body } = await post(`/session?room=${room}`, request, headers);
      if (status !== 200) throw new Error(body.error);
      return body;
    },
    ...options,
  });

test('a note reaches the members of the room', async () => {
  const [anna, ben] = [await bearer('anna', 'secret-a'), await bearer('ben', 'secret-b')];
  const realtime = client('kitchen', ben);
  /** @type {unknown[]} */
  const notes = [];
  const first = new Promise((resolve) => {
    void realtime
      .subscribe('notes', (note) => {
        notes.push(note);
        resolve(note);
      })
      .then(async () =>
        assert.equal((await post('/notes?room=kitchen', { text: 'Tea?' }, anna)).status, 200),
      );
  });
  assert.deepEqual(await first, { text: 'Tea?', by: 'anna' });
  realtime.close();
});

test('a page that signs is known by the account of its login', async () => {
  const [anna, ben] = [await bearer('anna', 'secret-a'), await bearer('ben', 'secret-b')];
  const [page, reader] = [client('kitchen', anna, { signed: true }), client('kitchen', ben)];
  try {
    const sender = new Promise((resolve, reject) => {
      reader
        .subscribe('typing', (_payload, _error, event) => resolve(event?.sender), { onError: reject })
        .then(() => page.publish('typing', { isTyping: true }))
        .then(({ errors }) => assert.equal(errors, undefined))
        .catch(reject);
    });
    assert.deepEqual(await sender, { kind: 'page', accountId: 'anna' });
  } finally {
    page.close();
    reader.close();
  }
});

test('members see who else is in the room', async () => {
  const [anna, ben] = [await bearer('anna', 'secret-a'), await bearer('ben', 'secret-b')];
  const [first, second] = [client('kitchen', anna), client('kitchen', ben)];
  try {
    const presence = await first.presence('notes');
    await presence.enter();
    const seen = new Promise((resolve) => {
      presence.onChange((members) => {
        if (members.length === 2) resolve(members.map(({ claimedAccountId }) => claimedAccountId));
      });
    });
    await (await second.presence('notes')).enter();
    assert.deepEqual(await seen, ['anna', 'ben']);
  } finally {
    first.close();
    second.close();
  }
});

test('nobody else gets a session, or adds a note', async () => {
  const ben = await bearer('ben', 'secret-b');
  for (const route of ['/session?room=garden', '/notes?room=garden', '/session?room=', '/session']) {
    assert.equal((await post(route, { text: 'x' }, ben)).status, 403, route);
  }
  /** @type {Record<string, string>[]} */
  const strangers = [{}, { authorization: 'Bearer x' }, { cookie: 'session=x' }];
  for (const headers of strangers) {
    assert.equal((await post('/session?room=kitchen', {}, headers)).status, 401);
    assert.equal((await post('/notes?room=kitchen', { text: 'x' }, headers)).status, 401);
  }
  const realtime = client('garden', ben);
  await assert.rejects(
    realtime.subscribe('notes', () => {}),
    { code: 'PERMISSION_MISSING' },
  );
  realtime.close();
});

test('a wrong password, and requests of a wrong shape, are refused', async () => {
  for (const body of [
    {},
    { account: 'anna' },
    { account: 'anna', password: 'secret-b' },
    { account: 'eve', password: '' },
  ]) {
    assert.equal((await post('/login', body)).status, 401);
  }
  const anna = await bearer('anna', 'secret-a');
  for (const body of [{}, { text: '' }, { text: 'x'.repeat(501) }, { text: 1 }, null, [], 'text']) {
    const { status } = await post('/notes?room=kitchen', body, anna);
    assert.equal(status, 400, JSON.stringify(body));
  }
  assert.equal((await post('/notes?room=kitchen', { text: 'x'.repeat(5_000) }, anna)).status, 413);
  assert.equal((await post('/login', {}, { 'content-type': 'text/plain' })).status, 415);
  const charset = { 'content-type': 'application/json; charset=utf-8' };
  assert.equal((await post('/login', { account: 'anna', password: 'secret-a' }, charset)).status, 200);
  assert.equal((await fetch(`${origin}/dist/../../package.json`)).status, 404);
});

test('a page gets its session as a cookie that scripts and other sites cannot use', async () => {
  const { headers } = await post('/login', { account: 'anna', password: 'secret-a' });
  const cookie = /** @type {string} */ (headers.get('set-cookie'));
  assert.match(cookie, /^session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
  const [id = ''] = cookie.split(';');
  assert.equal((await post('/session?room=kitchen', {}, { cookie: id })).status, 200);
});

test('the keys are in a file that only its user can read, and stay the same', async () => {
  const file = path.join(folder, 'data', 'secrets.json');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const before = await readFile(file, 'utf8');
  const again = new FileSecrets(file);
  const stored = await again.read('own-backend');
  assert.ok(stored);
  assert.deepEqual(await again.create('own-backend', { ...stored, routing: 'another' }), stored);
  assert.equal(await readFile(file, 'utf8'), before);
});
