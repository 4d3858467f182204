// Pages that may not connect learn why: blocked by the policy of their page, or refused by the relay at the handshake.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problems, receivedCount, setStage } from './support/stage.mjs';
import { contextOf } from './support/backend.mjs';

const errors = (page) => page.evaluate(() => globalThis.stateErrors);
/** Subscribes, and shows how that ended within some seconds. */
const outcome = (page) =>
  page.evaluate(() => {
    const started = performance.now();
    const patience = new Promise((resolve) => setTimeout(() => resolve({ code: 'STILL_WAITING' }), 8_000));
    const subscribed = globalThis.subscribe('absences').then(
      () => ({ code: 'SUBSCRIBED' }),
      ({ code, message }) => ({ code, message }),
    );
    return Promise.race([subscribed, patience]).then((result) => ({
      ...result,
      ms: performance.now() - started,
    }));
  });

test('a page whose policy blocks the relay is told at once, with the lines for the manifest', async () => {
  const stage = await setStage({ listed: [] });
  try {
    const page = await stage.open('ben');
    const { code, message, ms } = await outcome(page);
    assert.equal(code, 'EGRESS_BLOCKED');
    assert.ok(ms < 4_000, `${ms} ms`);
    const address = `127.0.0.1:${stage.line.port}`;
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
    assert.equal(stage.line.connections(), 0);
  } finally {
    await stage.strike();
  }
});

test('a policy that lists the relay for HTTP alone still lets the page connect', async () => {
  const stage = await setStage({ listed: ['http'] });
  try {
    const page = await stage.open('ben');
    assert.equal((await outcome(page)).code, 'SUBSCRIBED');
    await stage.backend.publish('absences', { n: 0 }, { context: contextOf('anna', '10001') });
    await receivedCount(page, 1);
    assert.equal(await page.evaluate(() => globalThis.realtime.transport), 'http');
    assert.deepEqual(await problems(page), []);
  } finally {
    await stage.strike();
  }
});

test('where no WebSocket comes about and the policy blocks the other way, that is told and tried again', async () => {
  const stage = await setStage({ listed: ['ws'] });
  try {
    const page = await stage.open('ben');
    stage.line.cut();
    void page.evaluate(() => void globalThis.subscribe('absences').catch(() => {}));
    await page.waitForFunction(() => globalThis.stateErrors.length > 0);
    const [{ code, message }] = await errors(page);
    assert.equal(code, 'UNREACHABLE');
    const blocked = `the page's policy blocks http://127.0.0.1:${stage.line.port}`;
    assert.ok(message.includes(blocked), message);
    stage.line.mend();
    await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, { timeout: 20_000 });
  } finally {
    await stage.strike();
  }
});

test('a page of an origin that the relay refuses is told so, and does not try again', async () => {
  // The page's own origin counts as local, and is allowed where the relay sees the browser on its own machine.
  const stage = await setStage({
    relay: 'allowed_origins = "https://app.example.com"\ntrusted_proxies = ["127.0.0.1"]\n',
    plainProxy: true,
  });
  try {
    stage.line.state.forwardedFor = '203.0.113.7';
    const page = await stage.open('ben');
    const { code, message } = await outcome(page);
    assert.equal(code, 'ORIGIN_REFUSED');
    assert.match(message, /allowed_origins/);
    assert.equal((await errors(page)).at(-1).code, 'ORIGIN_REFUSED');
  } finally {
    await stage.strike();
  }
});

test('a relay that is full says so, and the page comes back when it said', async () => {
  const stage = await setStage({ relay: 'max_connections_per_address = 1\n' });
  try {
    const held = await fetch(`http://127.0.0.1:${stage.relay.port}/v1/stream`, { method: 'POST' });
    const page = await stage.open('ben');
    void page.evaluate(() => void globalThis.subscribe('absences').catch(() => {}));
    await page.waitForFunction(() => globalThis.stateErrors.length > 0);
    const [error] = await errors(page);
    assert.equal(error.code, 'TOO_MANY_CONNECTIONS');
    assert.ok(error.retryAfterMs > 0);
    await held.body.cancel();
    await page.waitForFunction(() => globalThis.realtime.state === 'connected', null, { timeout: 30_000 });
  } finally {
    await stage.strike();
  }
});

test('an error about a relay that is away names its address, and no token', async () => {
  const stage = await setStage();
  try {
    stage.line.cut();
    const page = await stage.open('ben');
    void page.evaluate(() => void globalThis.subscribe('absences').catch(() => {}));
    await page.waitForFunction(() => globalThis.stateErrors.length > 0);
    const [{ code, message }] = await errors(page);
    assert.equal(code, 'UNREACHABLE');
    assert.ok(message.includes(`ws://127.0.0.1:${stage.line.port}`), message);
    assert.doesNotMatch(message, /eyJ/);
  } finally {
    await stage.strike();
  }
});
