// Key rotation on channels with claims, the order of publishes under a rate limit, and pages with a wrong clock. The package
// runs in Node against a real relay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRealtime } from 'sealwire';
import { WebSocket } from 'undici';
import { createBackend } from './support/backend.mjs';
import { issue } from './support/contract/index.mjs';
import { startRelay } from './support/relay.mjs';

globalThis.WebSocket ??= WebSocket;

const context = issue('7');

async function startSystem(settings) {
  const relay = await startRelay(settings);
  const { direct, secrets, session } = createBackend(relay, relay.port);
  const pages = [];
  return {
    resolver: direct,
    /** The same app in another process, with its own cache of the keys. */
    otherProcess: () => createBackend(relay, relay.port, { secrets }).direct,
    page(provide = session) {
      const page = createRealtime({
        session: (request) => provide(context, request),
        core: 'wasm',
        share: false,
      });
      pages.push(page);
      return page;
    },
    session,
    async stop() {
      for (const page of pages) page.close();
      await relay.stop();
    },
  };
}

const tokenOf = async (resolver) =>
  (await resolver.signRealtimeToken('team', { team: 'blue' }, undefined, { context })).token;

async function listen(page, token) {
  const received = [];
  const listener = (payload, error) => received.push(error ? `${error.code}: ${error.message}` : payload);
  const subscription = await page.subscribe('team', listener, { token });
  const receives = async (count, ms = 15_000) => {
    for (const end = Date.now() + ms; received.length < count && Date.now() < end;) await sleep(10);
    return received;
  };
  return { receives, subscription };
}

async function publish(resolver, ...payloads) {
  for (const payload of payloads) {
    const { errors } = await resolver.publish('team', payload, { context, token: await tokenOf(resolver) });
    assert.equal(errors, undefined);
  }
}

test('after a rotation every page receives all messages of a channel with claims in order', async () => {
  const system = await startSystem();
  try {
    const { resolver } = system;
    const other = system.otherProcess();
    let failures = 0;
    const unsteady = async () => {
      if (asked === 1 && failures < 2) throw new Error(`not now (${(failures += 1)})`);
      return tokenOf(resolver);
    };
    let asked = 0;
    let sessions = 0;
    const pages = [
      // A process that has not seen the rotation serves the first token function; the second one fails at first.
      await listen(system.page(), () => tokenOf(other)),
      await listen(system.page(), unsteady),
      // The first request for a session after the rotation fails.
      await listen(
        system.page(async (...given) => {
          if ((sessions += 1) === 2) throw new Error('not now');
          return system.session(...given);
        }),
        () => tokenOf(resolver),
      ),
    ];
    await publish(resolver, 'before');
    await resolver.rotateKey({ context });
    asked = 1;
    await publish(resolver, 'first', 'second', 'third');
    for (const { receives } of pages)
      assert.deepEqual(await receives(4), ['before', 'first', 'second', 'third']);
    assert.equal(failures, 2);
    assert.ok(sessions >= 3);
  } finally {
    await system.stop();
  }
});

test('the error of an unreadable message names the fixed token, and a new token makes messages readable', async () => {
  const system = await startSystem();
  try {
    const { resolver } = system;
    const { receives, subscription } = await listen(system.page(), await tokenOf(resolver));
    await resolver.rotateKey({ context });
    await publish(resolver, 'lost');
    const [problem] = await receives(1);
    assert.match(problem, /^MESSAGE_UNREADABLE: .*refreshToken\(\)/);
    await subscription.refreshToken(await tokenOf(resolver));
    await sleep(3_000);
    await publish(resolver, 'read');
    assert.deepEqual((await receives(2)).slice(1), ['read']);
  } finally {
    await system.stop();
  }
});

test('publishes at twice the rate limit are all accepted, in the order of the calls', async () => {
  const system = await startSystem('publish_rate = 200\npublish_burst = 100\n');
  try {
    const { receives } = await (async () => {
      const token = () => tokenOf(system.resolver);
      return listen(system.page(), token);
    })();
    const page = system.page();
    const token = () => tokenOf(system.resolver);
    const calls = Array.from({ length: 360 }, (_, number) => number);
    const waiting = [];
    const results = [];
    for (const number of calls) {
      waiting.push(page.publish('team', { number }, { token }).then((result) => results.push(result)));
      // A page may have a limited number of pending publishes.
      if (waiting.length - results.length >= 100) await waiting[results.length];
    }
    await Promise.all(waiting);
    assert.deepEqual(
      results.filter(({ errors }) => errors),
      [],
    );
    assert.deepEqual(
      (await receives(360)).map(({ number }) => number),
      calls,
    );
  } finally {
    await system.stop();
  }
});

test('a page whose clock is wrong by an hour requests a token once, and never uses an expired one', async () => {
  const system = await startSystem();
  const { now } = Date;
  try {
    for (const ahead of [-3_600_000, 3_600_000]) {
      let asked = 0;
      const signed = async (lifetimeSeconds) => {
        const wrong = Date.now;
        Date.now = now;
        try {
          const options = { context, lifetimeSeconds };
          return (await system.resolver.signRealtimeToken('team', { team: 'blue' }, undefined, options))
            .token;
        } finally {
          Date.now = wrong;
        }
      };
      const page = system.page(async (...given) => {
        const wrong = Date.now;
        Date.now = now;
        return system.session(...given).finally(() => (Date.now = wrong));
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
    await system.stop();
  }
});
