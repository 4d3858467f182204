// The table of Forge Realtime's error texts in docs/forge.md: each text is in the sources of @forge/bridge or @forge/realtime,
// each text of @forge/realtime is in the table, and the package has the codes of the table for the same causes.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { codes } from '../../src/errors/codes.js';
import { ERROR_TEXTS } from '../../src/migrate/error-texts.js';
import { createRealtime, publish } from '../../src/resolver.js';
import { createTestRelay } from '../../src/testing.js';
import { isError } from '../support/rejects.js';
import { context, fakeKvs, fakeRelay, settings } from '../support/relay.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';

// The bundle of this test is in js/dist/test/migrate.
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const PAGE = readFileSync(path.join(ROOT, 'docs/forge.md'), 'utf8');

/** The folder of an installed package. */
function folderOf(name: string): string {
  return path.join(ROOT, 'node_modules', name);
}

/** The text of all scripts below a folder. */
function sources(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
}

const realtime = sources(path.join(folderOf('@forge/realtime'), 'out'));
const bridge = sources(path.join(folderOf('@forge/bridge'), 'out'));

/** The rows of the table, as text and codes. */
function rows() {
  const table = /<!-- error texts -->\n\n((?:\|.*\n)+)/.exec(PAGE)?.[1] ?? '';
  return table
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((row) => {
      const [, text = '', , codesOfRow = ''] = row.split('|');
      const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, inside]) => inside!);
      return { text: quoted(text)[0]!, codes: quoted(codesOfRow) };
    });
}

test('the page and the command have the same table', () => {
  assert.deepEqual(rows(), ERROR_TEXTS);
});

test('every text of the table is in the sources of the packages', () => {
  for (const { text } of rows()) assert.ok(realtime.includes(text) || bridge.includes(text), text);
});

test('every error text of @forge/realtime is in the table', () => {
  const literals = [
    ...realtime.matchAll(/(?:message|error): ['"`]([^'"`$]+)/g),
    ...realtime.matchAll(/new Error\(['"]([^'"]+)/g),
    ...realtime.matchAll(/\? '([A-Z_]{6,})'/g),
  ].map(([, text]) => text!);
  assert.ok(literals.length >= 8, 'the patterns find the texts');
  const known = ERROR_TEXTS.map(({ text }) => text);
  // The client of the token's own format throws this inside, and reports INVALID_TOKEN.
  const inner = ['Invalid token format.'];
  assert.deepEqual(
    literals.filter((text) => !known.includes(text) && !inner.includes(text)),
    [],
  );
});

test('the page names the versions of the packages that the texts are from', () => {
  for (const name of ['@forge/bridge', '@forge/realtime']) {
    const { version } = JSON.parse(readFileSync(path.join(folderOf(name), 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.ok(PAGE.includes(`\`${name}\` ${version}`), `${name} ${version}`);
  }
});

test('every code of the table is a code of the package', () => {
  const known = new Set<string>(codes.map(([name]) => name));
  for (const { text, codes: all } of ERROR_TEXTS) {
    assert.deepEqual(
      all.filter((code) => !known.has(code)),
      [],
      text,
    );
  }
});

/** The codes of the table for a text. */
const codesOf = (wanted: string) => ERROR_TEXTS.find(({ text }) => text.startsWith(wanted))?.codes;

test('a wrong, an expired and a foreign token have the codes of the table, as has one without the permission', async () => {
  let now = 1_700_000_000_000;
  const relay = createTestRelay({ now: () => now });
  const resolver = relay.resolver();
  const sign = async (channel: string, permissions?: ['subscribe']) =>
    (await resolver.signRealtimeToken(channel, { team: 'blue' }, permissions, { context })).token!;
  const code = async (token: string) =>
    (await resolver.publish('notes', 'x', { context, token })).errors?.map((error) => error.code);

  assert.deepEqual(await code('no token'), codesOf('INVALID_TOKEN'));
  assert.deepEqual(await code(await sign('others')), codesOf('CHANNEL_NAME_MISMATCH'));
  assert.deepEqual(await code(await sign('notes', ['subscribe'])), codesOf('MISSING_PERMISSION'));
  const old = await sign('notes');
  now += 3_600_000;
  assert.deepEqual(await code(old), codesOf('TOKEN_EXPIRED'));
});

test('a refused rate, a blocked address and an unreadable secret have the codes of the table', async () => {
  const refused =
    (status: number, body: unknown, headers = {}) =>
    () =>
      Response.json(body, { status, headers });
  const calls = (answer: () => Response) => {
    const kvs = fakeKvs();
    const { fetch } = fakeRelay(answer);
    const options = { ...settings, secrets: forgeSecrets(async () => kvs), fetch };
    return createRealtime({ authorize: () => true, ...options });
  };
  const codeOf = async (answer: () => Response) => {
    const { errors } = await calls(answer).publish('notes', 'x', { context });
    return errors?.map((error) => error.code);
  };
  const limit = refused(429, { error: { code: 'RATE_LIMITED', message: 'Too many.' } });
  assert.deepEqual(await codeOf(limit), codesOf('RATE_LIMIT_EXCEEDED'));
  const blocked = refused(403, {}, { 'forge-proxy-error': 'EGRESS_NOT_ALLOWED' });
  assert.deepEqual(await codeOf(blocked), codesOf('forge-proxy-error'));

  const secrets = forgeSecrets(() => Promise.reject(new Error('storage is away')));
  const without = createRealtime({ authorize: () => true, ...settings, secrets, fetch: fakeRelay().fetch });
  const { errors } = await without.signRealtimeToken('notes', {}, undefined, { context });
  assert.deepEqual(
    errors?.map((error) => error.code),
    codesOf('Error signing'),
  );
});

test('a wrong option and a missing runtime have the code of the table', async () => {
  const options = { context, contextOverrides: 'issue' as never };
  const kvs = fakeKvs();
  const all = { ...settings, secrets: forgeSecrets(async () => kvs), fetch: fakeRelay().fetch };
  const wrong = createRealtime({ authorize: () => true, ...all }).publish('notes', 'x', options);
  await assert.rejects(wrong, isError(codesOf('Invalid value')![0]!, /contextOverrides/));
  await assert.rejects(publish('notes', 'x'), isError(codesOf('Forge runtime')![0]!, /context/));
});
