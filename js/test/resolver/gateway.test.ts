import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import { accepted, context, fakeKvs, fakeRelay, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

type Options = Partial<Parameters<typeof createRealtime>[0]>;

function backend(options: Options, ...answers: Parameters<typeof fakeRelay>) {
  const { fetch, posted } = fakeRelay(...answers);
  const secrets = forgeSecrets(async () => fakeKvs());
  const realtime = createRealtime({ authorize: () => true, ...settings, secrets, fetch, ...options });
  return { realtime, posted };
}

const gateway =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    new Response('<html>Bad Gateway</html>', {
      status,
      statusText: 'Bad Gateway',
      headers: { server: 'nginx', via: '1.1 front', 'content-type': 'text/html', ...headers },
    });

const never = () => new Promise<Response>(() => {});

afterEach(() => Reflect.deleteProperty(globalThis, '__forge_runtime__'));

test('a gateway that cannot reach the relay receives the same message again, with backoff', async () => {
  for (const status of [429, 502, 503, 504, 522]) {
    const { realtime, posted } = backend({}, gateway(status), gateway(status), accepted);
    assert.equal((await realtime.publish('n', 'x', { context })).errors, undefined, String(status));
    assert.equal(posted.length, 3);
    assert.deepEqual(posted[0]!.messages, posted[2]!.messages);
  }
});

test('the error names the address, the status and the gateway, and says that the message may have arrived', async () => {
  const { realtime } = backend({ timeoutMs: 1_000 }, gateway(502));
  const { errors } = await realtime.publish('n', 'x', { context });
  const [{ code, status, message }] = errors as [{ code: string; status?: number; message: string }];
  assert.deepEqual([code, status], ['UNREACHABLE', 502]);
  assert.match(
    message,
    /^https:\/\/relay\.example answered with HTTP 502 Bad Gateway \(server: nginx; via: 1\.1 front; content-type: text\/html\)/,
  );
  assert.match(
    message,
    /a gateway in front of the relay\. The relay may have accepted the request nevertheless\./,
  );
  assert.match(message, /Tried \d+ times in \d(\.\d)? s, within 1 s \(the option timeoutMs\)\.$/);
});

test("a gateway's headers are bounded and printable in the error", async () => {
  const { realtime } = backend({ timeoutMs: 1_000 }, gateway(502, { server: `\xe9${'x'.repeat(500)}` }));
  const { errors } = await realtime.publish('n', 'x', { context });
  assert.match(errors![0]!.message, /server: \?x{59};/);
});

test('Retry-After is followed within the deadline, and reported beyond it', async () => {
  const soon = backend({}, gateway(503, { 'retry-after': '1' }), accepted);
  const begun = performance.now();
  assert.equal((await soon.realtime.publish('n', 'x', { context })).errors, undefined);
  assert.ok(performance.now() - begun >= 990);

  for (const late of ['60', new Date(Date.now() + 60_000).toUTCString()]) {
    const { realtime, posted } = backend({}, gateway(503, { 'retry-after': late }));
    const { errors } = await realtime.publish('n', 'x', { context });
    assert.equal(posted.length, 1);
    assert.ok(Math.abs(errors![0]!.retryAfterMs! - 60_000) <= 2_000, String(errors![0]!.retryAfterMs));
  }
});

test('a message that the relay refuses for the moment is sent again', async () => {
  const ending = { code: 'SHUTTING_DOWN', message: 'the relay is shutting down' };
  const { realtime, posted } = backend({}, () => Response.json({ results: [{ error: ending }] }), accepted);
  assert.equal((await realtime.publish('n', 'x', { context })).errors, undefined);
  assert.deepEqual(posted[0]!.messages, posted[1]!.messages);
});

test('a request whose response breaks off is repeated', async () => {
  let requests = 0;
  const server = http.createServer((request, response) => {
    requests += 1;
    request.resume().on('end', () => {
      const body = JSON.stringify({ results: [{ eventId: '00000000000000aa-7', eventTimestamp: 7 }] });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      if (requests > 1) return response.end(body);
      response.write(body.slice(0, 20));
      setTimeout(() => response.destroy(), 20);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { realtime } = backend({ url, fetch: globalThis.fetch });
  try {
    assert.equal((await realtime.publish('n', 'x', { context })).eventId, '00000000000000aa-7');
    assert.equal(requests, 2);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('the error for a refused connection does not say that the message may have arrived', async () => {
  const refused = () =>
    Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }));
  const { realtime } = backend({ timeoutMs: 1_000 }, refused);
  const { errors } = await realtime.publish('n', 'x', { context });
  assert.match(errors![0]!.message, /https:\/\/relay\.example could not be reached \(ECONNREFUSED\)/);
  assert.doesNotMatch(errors![0]!.message, /may have taken/);
});

test('a publish or disconnect to a relay that never answers ends after five seconds in total', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { realtime, posted } = backend({}, never);
  for (const call of [
    () => realtime.publish('n', 'x', { context }),
    () => realtime.disconnect('installation', { context }),
  ]) {
    let settled: { errors?: { code: string; message: string }[] | undefined } | undefined;
    void call().then((result) => (settled = result));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const started = now;
    while (!settled && now - started < 10_000) {
      for (let turns = 0; turns < 10; turns += 1) await turn();
      now += 50;
      t.mock.timers.tick(50);
    }
    assert.ok(now - started <= 5_100, `${now - started} ms`);
    assert.equal(settled?.errors?.[0]?.code, 'UNREACHABLE');
    assert.match(settled!.errors![0]!.message, /no answer in time/);
  }
  assert.ok(posted.length >= 4, 'each was tried more than once');
});

test('a call in Forge ends before the time of its function', async () => {
  const runtime = (left: number) => ({
    appContext: { environmentId: 'e', installationId: 'i' },
    lambdaContext: { getRemainingTimeInMillis: () => left },
  });
  Object.assign(globalThis, { __forge_runtime__: runtime(800) });
  const { realtime } = backend({}, never);
  const begun = performance.now();
  const { errors } = await realtime.publishGlobal('n', 'x', { context });
  assert.ok(performance.now() - begun < 5_000);
  assert.match(errors![0]!.message, /within the 0\.3 s that the Forge function had left for it/);

  Object.assign(globalThis, { __forge_runtime__: runtime(100) });
  const late = backend({});
  const without = await late.realtime.publishGlobal('n', 'x', { context });
  assert.equal(without.errors?.length, 1);
  assert.equal(late.posted.length, 0, 'nothing is sent that nobody could hear of');
});

test('the error for storage that does not answer names it, and the relay receives no request', async () => {
  const secrets = {
    read: () => new Promise<undefined>(() => {}),
    create: never as never,
    replace: never as never,
  };
  const { realtime, posted } = backend({ secrets, timeoutMs: 1_000 });
  const published = await realtime.publish('n', 'x', { context });
  assert.equal(published.errors![0]!.code, 'SESSION_UNAVAILABLE');
  assert.match(published.errors![0]!.message, /secret of this installation was not read within 1 s/);
  const signed = await realtime.signRealtimeToken('n', { a: 1 }, undefined, { context });
  assert.match(signed.errors![0]!.message, /secret of this installation was not read/);
  assert.equal(posted.length, 0);
});

test('the error for an authorize() that does not return names it', async () => {
  const { realtime } = backend({
    timeoutMs: 1_000,
    trustUnsignedContext: false,
    authorize: () => new Promise<boolean>(() => {}),
  });
  const { errors } = await realtime.publish('n', 'x', { context });
  assert.match(errors![0]!.message, /authorize\(\), or the product that it asks, was slow/);
});

test('a wrong timeout is refused', async () => {
  for (const timeoutMs of [0, -1, Infinity, NaN, '5000', 1e9]) {
    const options = { timeoutMs: timeoutMs as number };
    assert.throws(() => backend(options), isError('INVALID_ARGUMENT', /timeoutMs/));
    const { realtime } = backend({});
    await assert.rejects(
      realtime.publish('n', 'x', { context, ...options }),
      isError('INVALID_ARGUMENT', /timeoutMs/),
    );
  }
});
