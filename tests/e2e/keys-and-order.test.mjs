// Rotations on channels with claims, the order of publications under a rate limit, and pages whose clock is wrong: real
// pages of the package in Node against a real relay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRealtime } from 'sealwire';
import { WebSocket } from 'undici';
import { createBackend } from './support/backend.mjs';
import { issue } from './support/contract.mjs';
import { startRelay } from './support/relay.mjs';

globalThis.WebSocket ??= WebSocket;

const context = issue('7');

async function setStage(settings) {
  const relay = await startRelay(settings);
  const { direct, secrets, session } = createBackend(relay, relay.port);
  const pages = [];
  return {
    resolver: direct,
    /** The same app in another process, which remembers what it has read. */
    otherProcess: () => createBackend(relay, relay.port, { secrets }).direct,
    page(provide = session) {
      const page = createRealtime({
        session: (reason) => provide(context, { reason }),
        core: 'wasm',
        share: false,
      });
      pages.push(page);
      return page;
    },
    session,
    async strike() {
      for (const page of pages) page.close();
      await relay.stop();
    },
  };
}

const tokenOf = async (resolver) =>
  (await resolver.signRealtimeToken('team', { team: 'blue' }, undefined, { context })).token;

async function listen(page, token) {
  const heard = [];
  const listener = (payload, error) => heard.push(error ? `${error.code}: ${error.message}` : payload);
  const subscription = await page.subscribe('team', listener, { token });
  const has = async (count, ms = 15_000) => {
    for (const end = Date.now() + ms; heard.length < count && Date.now() < end;) await sleep(10);
    return heard;
  };
  return { has, subscription };
}

async function publish(resolver, ...payloads) {
  for (const payload of payloads) {
    const { errors } = await resolver.publish('team', payload, { context, token: await tokenOf(resolver) });
    assert.equal(errors, undefined);
  }
}

test('after a rotation every message of a channel with claims is read, in order, on every page', async () => {
  const stage = await setStage();
  try {
    const { resolver } = stage;
    const other = stage.otherProcess();
    let failures = 0;
    const unsteady = async () => {
      if (asked === 1 && failures < 2) throw new Error(`not now (${(failures += 1)})`);
      return tokenOf(resolver);
    };
    let asked = 0;
    let sessions = 0;
    const pages = [
      // The function of one is served by a process that has not seen the rotation, that of another fails.
      await listen(stage.page(), () => tokenOf(other)),
      await listen(stage.page(), unsteady),
      // The first session after the rotation fails.
      await listen(
        stage.page(async (...given) => {
          if ((sessions += 1) === 2) throw new Error('not now');
          return stage.session(...given);
        }),
        () => tokenOf(resolver),
      ),
    ];
    await publish(resolver, 'before');
    await resolver.rotateKey({ context });
    asked = 1;
    await publish(resolver, 'first', 'second', 'third');
    for (const { has } of pages) assert.deepEqual(await has(4), ['before', 'first', 'second', 'third']);
    assert.equal(failures, 2);
    assert.ok(sessions >= 3);
  } finally {
    await stage.strike();
  }
});

test('a fixed token is named as the reason why messages are unreadable, and a fresh one mends it', async () => {
  const stage = await setStage();
  try {
    const { resolver } = stage;
    const { has, subscription } = await listen(stage.page(), await tokenOf(resolver));
    await resolver.rotateKey({ context });
    await publish(resolver, 'lost');
    const [problem] = await has(1);
    assert.match(problem, /^MESSAGE_UNREADABLE: .*refreshToken\(\)/);
    await subscription.refreshToken(await tokenOf(resolver));
    await sleep(3_000);
    await publish(resolver, 'read');
    assert.deepEqual((await has(2)).slice(1), ['read']);
  } finally {
    await stage.strike();
  }
});

test('publications at twice the rate limit are all taken, in the order of the calls', async () => {
  const stage = await setStage('publish_rate = 200\npublish_burst = 100\n');
  try {
    const { has } = await (async () => {
      const token = () => tokenOf(stage.resolver);
      return listen(stage.page(), token);
    })();
    const page = stage.page();
    const token = () => tokenOf(stage.resolver);
    const calls = Array.from({ length: 360 }, (_, number) => number);
    const waiting = [];
    const results = [];
    for (const number of calls) {
      waiting.push(page.publish('team', { number }, { token }).then((result) => results.push(result)));
      // As many as a page may have under way.
      if (waiting.length - results.length >= 100) await waiting[results.length];
    }
    await Promise.all(waiting);
    assert.deepEqual(
      results.filter(({ errors }) => errors),
      [],
    );
    assert.deepEqual(
      (await has(360)).map(({ number }) => number),
      calls,
    );
  } finally {
    await stage.strike();
  }
});

test('a page whose clock is wrong by an hour asks for a token once, and never uses one that has ended', async () => {
  const stage = await setStage();
  const { now } = Date;
  try {
    for (const ahead of [-3_600_000, 3_600_000]) {
      let asked = 0;
      const signed = async (lifetimeSeconds) => {
        const wrong = Date.now;
        Date.now = now;
        try {
          const options = { context, lifetimeSeconds };
          return (await stage.resolver.signRealtimeToken('team', { team: 'blue' }, undefined, options)).token;
        } finally {
          Date.now = wrong;
        }
      };
      const page = stage.page(async (...given) => {
        const wrong = Date.now;
        Date.now = now;
        return stage.session(...given).finally(() => (Date.now = wrong));
      });
      Date.now = () => now() + ahead;
      const long = async () => ((asked += 1), signed(900));
      await page.subscribe('team', () => {}, { token: long });
      for (let call = 0; call < 10; call += 1) {
        assert.equal((await page.publish('team', { call }, { token: long })).errors, undefined);
      }
      assert.equal(asked, 1);
      const short = async () => signed(2);
      for (const wait of [0, 2_500]) {
        await sleep(wait);
        assert.equal((await page.publish('team', { wait }, { token: short })).errors, undefined);
      }
      Date.now = now;
    }
  } finally {
    Date.now = now;
    await stage.strike();
  }
});
