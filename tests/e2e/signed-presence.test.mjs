// Members that sign their entries, and a member with all encryption keys that imitates them. Pages in Chromium tell them
// apart, through a relay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from './support/backend.mjs';
import { certify, entryForgerIn, newKey } from './support/forger.mjs';
import { startSystem } from './support/system.mjs';

const authorize = () => ({ presence: true });
const LATER = Date.now() + 900_000;

/** Opens the presence in a page, and lists the codes of its errors. */
const present = (page, options = {}) =>
  page.evaluate(async (given) => {
    globalThis.presenceErrors = [];
    const onError = (error) => globalThis.presenceErrors.push(error.code);
    globalThis.presence = await globalThis.realtime.presence('board', { onError, ...given });
  }, options);

const enter = (page, data) => page.evaluate((given) => globalThis.presence.enter(given), data);

/** Waits until a page shows these members, each as its data, its verified account and its claimed account. */
const shows = (page, expected) =>
  page.waitForFunction(
    (wanted) => {
      const { members } = globalThis.presence;
      const shown = members.map(({ data, accountId, claimedAccountId }) => [
        data,
        accountId,
        claimedAccountId,
      ]);
      return JSON.stringify(shown.sort()) === JSON.stringify(wanted.sort());
    },
    expected.map(([data, account = null, claimed]) => [data, account, claimed]),
    { timeout: 20_000 },
  );

const errorCodes = async (page, count) => {
  await page.waitForFunction((wanted) => globalThis.presenceErrors.length >= wanted, count);
  return page.evaluate(() => globalThis.presenceErrors.splice(0));
};

const ANNA = ['anna', 'anna', 'anna'];
const BEN = ['ben', undefined, 'ben'];

/** Returns an identity with a certificate for `certified` that `change` may replace. */
const identityOf =
  (certified, change = {}) =>
  ({ issuer, installation }) => {
    const key = newKey();
    const place = { installation, account: certified, key, expiresAt: LATER };
    return { key, certificate: certify(change.issuer ?? issuer, { ...place, ...change }) };
  };

/** The entries of a forger, each of which is refused. */
const FORGERIES = [
  ['a certificate by another signing key', { identity: identityOf('anna', { issuer: newKey() }) }],
  [
    'the certificate of another page, without its private key',
    { identity: identityOf('anna', { key: newKey() }) },
  ],
  ['an expired certificate', { identity: identityOf('anna', { expiresAt: Date.now() - 60_000 }) }],
  ['a certificate of another installation', { identity: identityOf('anna', { installation: 'other' }) }],
  ['a certificate of another app', { identity: identityOf('anna', { app: 'other-app' }) }],
  ["the forger's own certificate, for another account", { identity: identityOf('mallory') }],
  ['a signature for another member', { identity: identityOf('anna'), signedMember: Buffer.alloc(16, 1) }],
];

for (const webAssembly of [true, false]) {
  const build = webAssembly ? 'WebAssembly' : 'plain JavaScript';

  test(`pages know the accounts of members that sign, and show no others if they want (${build})`, async () => {
    const system = await startSystem({ webAssembly, backend: { authorize } });
    try {
      const anna = await system.open('anna', '10001', { signed: true });
      const [ben, strict] = [await system.open('ben'), await system.open('c')];
      for (const page of [anna, ben]) await present(page);
      await present(strict, { members: 'verified' });
      await enter(anna, 'anna');
      await enter(ben, 'ben');
      for (const page of [anna, ben]) await shows(page, [ANNA, BEN]);
      await shows(strict, [ANNA]);

      // The session of this page was granted without its key.
      const [cleo, late] = [await system.open('cleo'), await system.open('late')];
      await present(cleo, { signed: true });
      await enter(cleo, 'cleo');
      const CLEO = ['cleo', 'cleo', 'cleo'];
      for (const page of [anna, ben]) await shows(page, [ANNA, BEN, CLEO]);
      await system.backend.rotateKey({ context: contextOf('x', '10001') });
      await anna.evaluate(() => globalThis.presence.update('again'));
      const again = ['again', 'anna', 'anna'];
      await present(late);
      const first = await late.evaluate(() => globalThis.presence.members.length);
      assert.equal(first, 3, 'the first members are complete');
      for (const page of [anna, ben, late]) await shows(page, [again, BEN, CLEO]);
      await shows(strict, [again, CLEO]);

      await system.relay.kill();
      await system.relay.restart();
      for (const page of [anna, late]) {
        await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, {
          timeout: 20_000,
        });
      }
      await anna.evaluate(() => globalThis.presence.update('anna'));
      for (const page of [anna, ben, late]) await shows(page, [ANNA, BEN, CLEO]);
      for (const page of [anna, ben, late, strict]) assert.deepEqual(await errorCodes(page, 0), []);
    } finally {
      await system.stop();
    }
  });

  test(`a member with all encryption keys cannot enter as a verified member of another account (${build})`, async () => {
    const system = await startSystem({ webAssembly, backend: { authorize } });
    try {
      const [anna, ben] = [await system.open('anna', '10001', { signed: true }), await system.open('ben')];
      await present(anna);
      await present(ben);
      await enter(anna, 'anna');
      await shows(ben, [ANNA]);
      const mallory = await system.open('mallory');
      const session = await mallory.evaluate(() => globalThis.sessionOf('mallory'));
      const forge = entryForgerIn(system, session);
      const forged = async (entry) => {
        const entries = [await forge({ account: 'anna', data: 'forged', ...entry })];
        await mallory.evaluate(
          (given) => globalThis.enterSealed({ user: 'mallory', channel: 'board', entries: given }),
          entries,
        );
      };
      for (const [what, entry] of FORGERIES) {
        await forged(entry);
        assert.deepEqual(await errorCodes(ben, 1), ['SENDER_UNVERIFIED'], what);
        await shows(ben, [ANNA]);
      }
      await forged({});
      await shows(ben, [ANNA, ['forged', undefined, 'anna']]);
      // The genuine signing key proves that the forger is well made.
      await forged({ data: 'genuine', identity: identityOf('anna') });
      await shows(ben, [ANNA, ['forged', undefined, 'anna'], ['genuine', 'anna', 'anna']]);
      await present(mallory, { tabs: 'merged' });
      const merged = await mallory.evaluate(() =>
        globalThis.presence.members.map(({ accountId, connections }) => [accountId, connections]),
      );
      assert.deepEqual(merged.sort(), [
        [undefined, 1],
        ['anna', 2],
      ]);
    } finally {
      await system.stop();
    }
  });
}

test('a page that cannot sign does not enter, and enters unsigned if it wants', async () => {
  const system = await startSystem({ backend: { authorize, unlicensedAccess: ['anonymous'] } });
  try {
    const watcher = await system.open('ben');
    await present(watcher);
    const refused = async (page, text) => {
      await present(page, { signed: true });
      await assert.rejects(enter(page, 'signed'), text);
      await page.evaluate(() => globalThis.presence.close());
      await shows(watcher, []);
    };

    const plain = await system.openBlank('anna');
    await plain.evaluate(async () => {
      Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined, configurable: true });
      await import('/page.js');
      globalThis.start();
    });
    await refused(plain, /Signing needs WebCrypto/);
    await assert.rejects(present(plain, { members: 'verified' }), /members: 'verified' needs WebCrypto/);
    await present(plain);
    await enter(plain, 'anna');
    await shows(watcher, [['anna', undefined, 'anna']]);
    await plain.evaluate(() => globalThis.presence.close());
    await shows(watcher, []);

    // Forge names every user who is not logged in like this.
    await refused(await system.open('unidentified'), /does not certify this page/);
  } finally {
    await system.stop();
  }
});
