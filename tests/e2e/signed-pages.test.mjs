// Messages that pages sign, and those of a member that has all encryption keys and imitates a page. Pages in Chromium tell
// them apart, through a relay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf, publisherThrough } from './support/backend.mjs';
import { certify, forgerIn, newKey } from './support/forger.mjs';
import { startSystem } from './support/system.mjs';

/** Subscribes with `senders`, and lists what the callback gets. */
const subscribe = (page, senders) =>
  page.evaluate(async (accepted) => {
    globalThis.events = [];
    await globalThis.realtime.subscribe(
      'absences',
      (payload, error, event) =>
        globalThis.events.push([error?.code ?? payload.number, event?.sender ?? null]),
      { senders: accepted },
    );
  }, senders);

const events = async (page, count) => {
  await page.waitForFunction((wanted) => globalThis.events.length >= wanted, count);
  return page.evaluate(() => globalThis.events.splice(0));
};

const publish = (page, number, options) =>
  page.evaluate(
    async ([payload, given]) => (await globalThis.realtime.publish('absences', payload, given)).errors,
    [{ number }, options],
  );

const FUNCTION = { kind: 'function' };
const ANNA = { kind: 'page', accountId: 'anna' };
const UNREADABLE = ['MESSAGE_UNREADABLE', null];
const LATER = Date.now() + 900_000;

/** The identities of a forger: what it is, and the outcome at a page that accepts verified senders. */
const FORGERIES = [
  [
    'the genuine signing key and the key of the certificate, which proves that the forger is well made',
    ({ issuer, installation }) => {
      const key = newKey();
      return { key, certificate: certify(issuer, { installation, account: 'anna', key, expiresAt: LATER }) };
    },
    [0, ANNA],
  ],
  [
    'a certificate by another signing key',
    ({ installation }) => {
      const key = newKey();
      return {
        key,
        certificate: certify(newKey(), { installation, account: 'anna', key, expiresAt: LATER }),
      };
    },
    UNREADABLE,
  ],
  [
    'the certificate of another page, without its private key',
    ({ issuer, installation }) => ({
      key: newKey(),
      certificate: certify(issuer, { installation, account: 'anna', key: newKey(), expiresAt: LATER }),
    }),
    UNREADABLE,
  ],
  [
    "a certificate of the forger's own key with another account",
    ({ issuer, installation }) => {
      const key = newKey();
      const own = certify(issuer, { installation, account: 'mary', key, expiresAt: LATER });
      own.write('anna', own.length - 64 - 4);
      return { key, certificate: own };
    },
    UNREADABLE,
  ],
  [
    'an expired certificate',
    ({ issuer, installation }) => {
      const key = newKey();
      const expiresAt = Date.now() - 60_000;
      return { key, certificate: certify(issuer, { installation, account: 'anna', key, expiresAt }) };
    },
    UNREADABLE,
  ],
  [
    'a certificate of another installation',
    ({ issuer }) => {
      const key = newKey();
      const installation = 'ari:cloud:jira::site/other';
      return { key, certificate: certify(issuer, { installation, account: 'anna', key, expiresAt: LATER }) };
    },
    UNREADABLE,
  ],
  [
    'a certificate of another app',
    ({ issuer, installation }) => {
      const key = newKey();
      const place = { app: 'other-app', installation };
      return { key, certificate: certify(issuer, { ...place, account: 'anna', key, expiresAt: LATER }) };
    },
    UNREADABLE,
  ],
  [
    'a message that was signed for another channel',
    ({ issuer, installation }) => {
      const key = newKey();
      const certificate = certify(issuer, { installation, account: 'anna', key, expiresAt: LATER });
      return { key, certificate, signedChannel: 'rotation' };
    },
    UNREADABLE,
  ],
];

for (const webAssembly of [true, false]) {
  const build = webAssembly ? 'WebAssembly' : 'plain JavaScript';

  test(`pages know the account of a page that signs, and take no others if they want (${build})`, async () => {
    const system = await startSystem({ webAssembly });
    try {
      const anna = await system.open('anna', '10001', { signed: true });
      const ben = await system.open('ben');
      const [any, verified, strict] = [
        await system.open('c'),
        await system.open('d'),
        await system.open('e'),
      ];
      await subscribe(any, 'any');
      await subscribe(verified, 'verified');
      await subscribe(strict, 'function');
      assert.equal(await publish(anna, 1), undefined);
      assert.equal(await publish(ben, 2), undefined);
      assert.equal((await publisherThrough(system, fetch)({ number: 3 })).errors, undefined);
      assert.equal(await publish(anna, 4, { signed: false }), undefined);
      // The session of this page was granted without its key.
      assert.equal(await publish(ben, 5, { signed: true }), undefined);
      await system.backend.rotateKey({ context: contextOf('x', '10001') });
      assert.equal(await publish(anna, 6), undefined);
      const BEN = { kind: 'page', accountId: 'ben' };
      const refused = ['SENDER_UNVERIFIED', null];
      assert.deepEqual(await events(any, 6), [
        [1, ANNA],
        [2, null],
        [3, FUNCTION],
        [4, null],
        [5, BEN],
        [6, ANNA],
      ]);
      const ofVerified = [[1, ANNA], refused, [3, FUNCTION], refused, [5, BEN], [6, ANNA]];
      assert.deepEqual(await events(verified, 6), ofVerified);
      const codes = (await events(strict, 6)).map(([code]) => code);
      assert.deepEqual(
        codes,
        codes.map((_, place) => (place === 2 ? 3 : 'SENDER_UNVERIFIED')),
      );
    } finally {
      await system.stop();
    }
  });

  test(`a member with all encryption keys cannot write as a page of another account (${build})`, async () => {
    const system = await startSystem({ webAssembly });
    try {
      const page = await system.open('ben');
      await subscribe(page, 'verified');
      const forge = forgerIn(system);
      for (const [what, identity, outcome] of FORGERIES) {
        assert.equal((await forge({ number: 0 }, identity)).errors, undefined, what);
        assert.deepEqual(await events(page, 1), [outcome], what);
      }
    } finally {
      await system.stop();
    }
  });
}

test('a page signs in the order of its calls, also while a certificate is on its way', async () => {
  const system = await startSystem();
  try {
    const [anna, ben] = [await system.open('anna'), await system.open('ben')];
    await subscribe(ben, 'any');
    const errors = await anna.evaluate(async () => {
      const calls = Array.from({ length: 60 }, (_, number) =>
        globalThis.realtime.publish('absences', { number }, { signed: number % 3 !== 0 }),
      );
      return (await Promise.all(calls)).flatMap((result) => result.errors ?? []);
    });
    assert.deepEqual(errors, []);
    const expected = Array.from({ length: 60 }, (_, number) => [number, number % 3 === 0 ? null : ANNA]);
    assert.deepEqual(await events(ben, 60), expected);
  } finally {
    await system.stop();
  }
});

test('a page that cannot sign says so at the call, and publishes unsigned messages', async () => {
  const system = await startSystem({ backend: { unlicensedAccess: ['anonymous'] } });
  try {
    const receiver = await system.open('ben');
    await subscribe(receiver, 'any');
    const refused = async (page, text) => {
      const [error, ...others] = await publish(page, 0, { signed: true });
      assert.match(error, /^SIGNING_UNAVAILABLE: /);
      assert.match(error, text);
      assert.deepEqual(others, []);
      assert.equal(await publish(page, 1), undefined);
      assert.deepEqual(await events(receiver, 1), [[1, null]]);
    };

    const plain = await system.openBlank('anna');
    await plain.evaluate(async () => {
      Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined, configurable: true });
      await import('/page.js');
      globalThis.start();
    });
    await refused(plain, /needs WebCrypto/);
    await assert.rejects(subscribe(plain, 'verified'), /senders: 'verified' needs WebCrypto/);

    // Forge names every user who is not logged in like this.
    await refused(await system.open('unidentified'), /does not certify this page/);

    // A backend of an earlier version ignores the public key.
    const earlier = await system.openBlank('anna');
    await earlier.evaluate(async () => {
      await import('/page.js');
      const session = async ({ reason }) => {
        const body = JSON.stringify({ user: 'anna', dashboard: '10001', reason });
        return (await fetch('/session', { method: 'POST', body })).json();
      };
      globalThis.start({ session });
    });
    await refused(earlier, /does not certify this page/);
  } finally {
    await system.stop();
  }
});
