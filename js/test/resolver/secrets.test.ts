import assert from 'node:assert/strict';
import { test } from 'node:test';

import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import { InstallationSecrets, MAX_AGE_FOR_TOKENS_MS } from '../../src/backend/installation-secrets.js';
import type { SecretStore } from '../../src/backend/options.js';
import { nodeSigning } from '../../src/backend/signing.js';
import { resolverCore } from '../../src/core/load-resolver.js';
import type { InstallationSecret } from '../../src/core/resolver-core.js';
import { fakeKvs } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const NOW = 1_700_000_000_000;

function secretsOf(kvs: ReturnType<typeof fakeKvs>, now = () => NOW): InstallationSecrets {
  return new InstallationSecrets(
    forgeSecrets(async () => kvs),
    now,
    resolverCore,
    nodeSigning,
  );
}

test('the first use creates a secret that no later use replaces', async () => {
  const kvs = fakeKvs();
  const secret = await secretsOf(kvs).of('ari:1');
  assert.deepEqual([secret.version, secret.keys.length, secret.keys[0]!.createdAt], [1, 1, NOW / 1000]);
  assert.equal(Buffer.from(secret.routing, 'base64url').length, 32);
  assert.equal(Buffer.from(secret.keys[0]!.key, 'base64url').length, 32);
  assert.deepEqual(kvs.writes, ['FAIL_IF_EXISTS']);
  assert.deepEqual(await secretsOf(kvs).of('ari:1'), secret);
  assert.equal(kvs.writes.length, 1);
});

test('processes that create a secret at the same moment use the same one', async () => {
  const kvs = fakeKvs();
  const processes = Array.from({ length: 8 }, () => secretsOf(kvs));
  const secrets = await Promise.all(processes.map((process) => process.of('ari:1')));
  for (const secret of secrets) assert.deepEqual(secret, kvs.value);
  assert.equal(kvs.writes.length, 1);
});

test('the core is compiled while the storage answers', async () => {
  let compiled = () => {};
  const compiling = new Promise<void>((resolve) => (compiled = resolve));
  const stored = resolverCore().newInstallationSecret(NOW / 1000, nodeSigning.newKey());
  const store: SecretStore = {
    // The storage answers after the core is compiled, so the read would never end if the core waited for it.
    read: () => compiling.then(() => stored),
    create: () => assert.fail('the secret exists'),
    replace: () => assert.fail('nothing is replaced'),
  };
  const core = () => {
    compiled();
    return resolverCore();
  };
  const secrets = new InstallationSecrets(store, () => NOW, core, nodeSigning);
  assert.deepEqual(await secrets.of('ari:1'), stored);
});

test('a core that does not compile fails at its use, not while the storage answers', async () => {
  let tried = () => {};
  const trying = new Promise<void>((resolve) => (tried = resolve));
  const stored = resolverCore().newInstallationSecret(NOW / 1000, nodeSigning.newKey());
  const store: SecretStore = {
    read: () => trying.then(() => stored),
    create: () => assert.fail('the secret exists'),
    replace: () => assert.fail('nothing is replaced'),
  };
  const core = () => {
    tried();
    throw new Error('no memory is left');
  };
  const secrets = new InstallationSecrets(store, () => NOW, core, nodeSigning);
  assert.deepEqual(await secrets.of('ari:1'), stored);
  await assert.rejects(secrets.rotate('ari:1'), /no memory is left/);
});

test('a failure to store that is not a lost race is reported', async () => {
  const kvs = fakeKvs();
  const down = new Error('storage is down');
  kvs.setSecret = () => Promise.reject(down);
  const failure = isError('SESSION_UNAVAILABLE', /could not be read: storage is down/);
  await assert.rejects(secretsOf(kvs).of('ari:1'), failure);
});

test('a secret is cached, and read again when it is old or a key is unknown', async () => {
  const kvs = fakeKvs();
  let now = NOW;
  const secrets = secretsOf(kvs, () => now);
  await Promise.all([secrets.of('ari:1'), secrets.of('ari:1'), secrets.of('ari:1')]);
  const first = kvs.reads;
  await secrets.of('ari:1');
  assert.equal(kvs.reads, first);
  await secrets.of('ari:1', 0);
  assert.equal(kvs.reads, first + 1);
  now += 60_000;
  await secrets.of('ari:1');
  assert.equal(kvs.reads, first + 2);
  // A clock that was set back does not tell the age of the secret.
  now -= 3_600_000;
  await secrets.of('ari:1');
  assert.equal(kvs.reads, first + 3);
});

test('a channel token has the key of a rotation by another process within seconds', async () => {
  const kvs = fakeKvs();
  let now = NOW;
  const [one, other] = [secretsOf(kvs, () => now), secretsOf(kvs, () => now)];
  const forToken = () => one.of('ari:1', MAX_AGE_FOR_TOKENS_MS);
  assert.equal((await forToken()).keys.length, 1);
  await other.rotate('ari:1');
  now += 4_999;
  const { reads } = kvs;
  assert.equal((await forToken()).keys.length, 1);
  assert.equal(kvs.reads, reads);
  now += 1;
  assert.equal((await forToken()).keys.length, 2);
});

test('a failed read is not cached', async () => {
  const kvs = fakeKvs();
  const { getSecret } = kvs;
  kvs.getSecret = () => Promise.reject(new Error('once'));
  const secrets = secretsOf(kvs);
  await assert.rejects(secrets.of('ari:1'), /once/);
  kvs.getSecret = getSecret;
  assert.equal((await secrets.of('ari:1')).version, 1);
});

test('installations that share a process never share a secret', async () => {
  const stored = new Map<string, InstallationSecret>();
  const store: SecretStore = {
    read: async (installation) => stored.get(installation),
    create: async (installation, secret) => (stored.set(installation, secret), secret),
    replace: async (installation, secret) => void stored.set(installation, secret),
  };
  const secrets = new InstallationSecrets(store, () => NOW, resolverCore, nodeSigning);
  const [one, two] = await Promise.all([secrets.of('ari:1'), secrets.of('ari:2')]);
  assert.notEqual(one.keys[0]!.key, two.keys[0]!.key);
  assert.notEqual(one.routing, two.routing);
  assert.notEqual(one.keys[0]!.signing.d, two.keys[0]!.signing.d);
  assert.equal(await secrets.of('ari:1'), one);
});

test('a rotation adds a key, keeps older keys within the overlap, and reaches other processes', async () => {
  const kvs = fakeKvs();
  let now = NOW;
  const [here, elsewhere] = [secretsOf(kvs, () => now), secretsOf(kvs, () => now)];
  const before = await here.of('ari:1');
  await elsewhere.of('ari:1');

  now += 10_000;
  const rotated = await here.rotate('ari:1');
  assert.equal(rotated.routing, before.routing);
  assert.equal(rotated.keys.length, 2);
  assert.deepEqual(rotated.keys[1], before.keys[0]);
  assert.equal(rotated.keys[0]!.createdAt, now / 1000);
  assert.notEqual(rotated.keys[0]!.signing.d, rotated.keys[1]!.signing.d);
  assert.deepEqual(await here.of('ari:1'), rotated);

  assert.equal((await elsewhere.of('ari:1')).keys.length, 1);
  assert.deepEqual(await elsewhere.of('ari:1', 0), rotated);

  now += 90_000_000;
  const again = await elsewhere.rotate('ari:1');
  assert.equal(
    again.keys.some(({ key }) => key === before.keys[0]!.key),
    false,
  );
});

test('a stored value of another version is refused and not overwritten', async () => {
  for (const value of [{ version: 2 }, 'text', { version: 1, routing: 'AA', keys: [] }]) {
    const kvs = fakeKvs(value);
    const refusal = isError('SESSION_UNAVAILABLE', /'sealwire:keys'.*cannot|is not one that this version/);
    await assert.rejects(secretsOf(kvs).of('ari:1'), refusal);
    assert.deepEqual(kvs.value, value);
  }
});
