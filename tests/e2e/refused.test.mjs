// Pages that may not connect report the reason: their policy blocks the relay, or the relay refuses the handshake.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problems, receivedCount, startSystem } from './support/system.mjs';
import { contextOf } from './support/backend.mjs';

const errors = (page) => page.evaluate(() => globalThis.stateErrors);
/** Subscribes, and returns the result within eight seconds. */
const outcome = (page) =>
  page.evaluate(() => {
    const started = performance.now();
    const timeout = new Promise((resolve) => setTimeout(() => resolve({ code: 'STILL_WAITING' }), 8_000));
    const subscribed = globalThis.subscribe('absences').then(
      () => ({ code: 'SUBSCRIBED' }),
      ({ code, message }) => ({ code, message }),
    );
    return Promise.race([subscribed, timeout]).then((result) => ({
      ...result,
      ms: performance.now() - started,
    }));
  });

test('a page whose policy blocks the relay fails at once with EGRESS_BLOCKED and the lines for the manifest', async () => {
  const system = await startSystem({ listed: [] });
  try {
    const page = await system.open('ben');
    const { code, message, ms } = await outcome(page);
    assert.equal(code, 'EGRESS_BLOCKED');
    assert.ok(ms < 4_000, `${ms} ms`);
    const address = `127.0.0.1:${system.proxy.port}`;
    for (const line of [
      `- address: ws://${address}\n`,
      `- address: http://${address}\n`,
      'inScopeEUD: true',
      'client:',
    ]) {
      assert.ok(message.includes(line), message);
    }
    assert.match(message, /an admin has to approve the new version/);
    assert.equal((await errors(page)).at(-1).code, 'EGRESS_BLOCKED');
    assert.equal(system.proxy.connections(), 0);
  } finally {
    await system.stop();
  }
});

test('a policy that lists the relay for HTTP alone still lets the page connect', async () => {
  const system = await startSystem({ listed: ['http'] });
  try {
    const page = await system.open('ben');
    assert.equal((await outcome(page)).code, 'SUBSCRIBED');
    await system.backend.publish('absences', { n: 0 }, { context: contextOf('anna', '10001') });
    await receivedCount(page, 1);
    assert.equal(await page.evaluate(() => globalThis.realtime.transport), 'http');
    assert.deepEqual(await problems(page), []);
  } finally {
    await system.stop();
  }
});

test('a page without a WebSocket whose policy blocks the fallback reports the policy and keeps retrying', async () => {
  const system = await startSystem({ listed: ['ws'] });
  try {
    const page = await system.open('ben');
    system.proxy.cut();
    void page.evaluate(() => void globalThis.subscribe('absences').catch(() => {}));
    await page.waitForFunction(() => globalThis.stateErrors.length > 0);
    const [{ code, message }] = await errors(page);
    assert.equal(code, 'UNREACHABLE');
    const blocked = `the page's policy blocks http://127.0.0.1:${system.proxy.port}`;
    assert.ok(message.includes(blocked), message);
    system.proxy.restore();
    await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, { timeout: 20_000 });
  } finally {
    await system.stop();
  }
});

test('a page of a refused origin fails with ORIGIN_REFUSED and does not retry', async () => {
  // The relay allows local origins if the client is on the same machine, so the proxy names another address.
  const system = await startSystem({
    relay: 'allowed_origins = "https://app.example.com"\ntrusted_proxies = ["127.0.0.1"]\n',
    httpProxy: true,
  });
  try {
    system.proxy.state.forwardedFor = '203.0.113.7';
    const page = await system.open('ben');
    const { code, message } = await outcome(page);
    assert.equal(code, 'ORIGIN_REFUSED');
    assert.match(message, /allowed_origins/);
    assert.equal((await errors(page)).at(-1).code, 'ORIGIN_REFUSED');
  } finally {
    await system.stop();
  }
});

test('a relay at capacity answers TOO_MANY_CONNECTIONS with a delay, and the page connects later', async () => {
  const system = await startSystem({ relay: 'max_connections_per_address = 1\n' });
  try {
    const held = await fetch(`http://127.0.0.1:${system.relay.port}/v1/stream`, { method: 'POST' });
    const page = await system.open('ben');
    void page.evaluate(() => void globalThis.subscribe('absences').catch(() => {}));
    await page.waitForFunction(() => globalThis.stateErrors.length > 0);
    const [error] = await errors(page);
    assert.equal(error.code, 'TOO_MANY_CONNECTIONS');
    assert.ok(error.retryAfterMs > 0);
    await held.body.cancel();
    await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, { timeout: 30_000 });
  } finally {
    await system.stop();
  }
});

test('the error about an unreachable relay names its address and no token', async () => {
  const system = await startSystem();
  try {
    system.proxy.cut();
    const page = await system.open('ben');
    void page.evaluate(() => void globalThis.subscribe('absences').catch(() => {}));
    await page.waitForFunction(() => globalThis.stateErrors.length > 0);
    const [{ code, message }] = await errors(page);
    assert.equal(code, 'UNREACHABLE');
    assert.ok(message.includes(`ws://127.0.0.1:${system.proxy.port}`), message);
    assert.doesNotMatch(message, /eyJ/);
  } finally {
    await system.stop();
  }
});
