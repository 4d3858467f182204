// The option signal of the calls in the app's functions: before, during and after a call.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import type { RealtimeOptions } from '../../src/backend/options.js';
import { accepted, context, fakeKvs, fakeRelay, settings } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const NOT_ASKED = "The app's signal ended the call. The relay was not asked.";
const MAYBE = "The app's signal ended the call. The relay may have accepted the request nevertheless.";

function backend(options: Partial<RealtimeOptions>, ...answers: Parameters<typeof fakeRelay>) {
  const { fetch, posted } = fakeRelay(...answers);
  const kvs = fakeKvs();
  const secrets = forgeSecrets(async () => kvs);
  const realtime = createRealtime({ authorize: () => true, ...settings, secrets, fetch, ...options });
  return { realtime, posted, kvs };
}

type Realtime = ReturnType<typeof createRealtime>;

/** The calls that take a signal. */
const CALLS = [
  (realtime: Realtime, signal: AbortSignal) => realtime.publish('n', 'x', { context, signal }),
  (realtime: Realtime, signal: AbortSignal) => realtime.publishGlobal('n', 'x', { context, signal }),
  (realtime: Realtime, signal: AbortSignal) => realtime.disconnect('installation', { context, signal }),
  (realtime: Realtime, signal: AbortSignal) =>
    realtime.signRealtimeToken('n', {}, undefined, { context, signal }),
];

const errorOf = ({ errors }: { errors?: { code: string; message: string }[] | undefined }) =>
  errors?.map(({ code, message }) => [code, message])[0];

test('a call with an aborted signal asks neither the app, nor the storage, nor the relay', async () => {
  const asked: string[] = [];
  const { realtime, posted, kvs } = backend({
    authorize: () => asked.push('authorize') > 0,
    url: () => (asked.push('url'), 'wss://relay.example'),
  });
  for (const call of CALLS) {
    assert.deepEqual(errorOf(await call(realtime, AbortSignal.abort())), ['ABORTED', NOT_ASKED]);
  }
  assert.deepEqual([asked, posted.length, kvs.reads], [[], 0, 0]);
});

test('a signal ends the wait for a function of the app and for the storage', async () => {
  const never = () => new Promise<never>(() => {});
  for (const options of [
    { url: never },
    { secrets: { read: never, create: never, replace: never } },
  ] satisfies Partial<RealtimeOptions>[]) {
    const { realtime, posted } = backend(options);
    for (const call of CALLS) {
      // A disconnect needs no secret.
      if (call === CALLS.at(2) && 'secrets' in options) continue;
      const controller = new AbortController();
      const calling = call(realtime, controller.signal);
      await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      assert.deepEqual(errorOf(await calling), ['ABORTED', NOT_ASKED]);
    }
    assert.equal(posted.length, 0);
  }
});

test('a signal ends a request, which the relay may have accepted', async () => {
  for (const call of CALLS.slice(0, 3)) {
    const controller = new AbortController();
    let signalOfRequest: AbortSignal | undefined;
    const fetch = (_: unknown, init?: RequestInit): Promise<Response> => {
      signalOfRequest = init?.signal ?? undefined;
      controller.abort();
      return new Promise(() => {});
    };
    const { realtime } = backend({ fetch: fetch as typeof globalThis.fetch });
    assert.deepEqual(errorOf(await call(realtime, controller.signal)), ['ABORTED', MAYBE]);
    assert.equal(signalOfRequest?.aborted, true, 'the request is cancelled');
  }
});

test('a signal ends the wait before a retry, and the error says what the last answer means', async () => {
  const failed = (code: string) =>
    Response.json({ error: { code, message: 'why', retryAfterMs: 30_000 } }, { status: 503 });
  const gateway = () => new Response('', { status: 502, headers: { 'retry-after': '30' } });
  for (const [answer, message] of [
    [gateway, MAYBE],
    [() => failed('OVERLOADED'), "The app's signal ended the call. The relay did not accept the request."],
  ] as const) {
    const controller = new AbortController();
    const answerAndAbort = () => {
      setTimeout(() => controller.abort(), 0);
      return answer();
    };
    const { realtime, posted } = backend({ timeoutMs: 60_000 }, answerAndAbort, accepted);
    const began = performance.now();
    const result = await realtime.publish('n', 'x', { context, signal: controller.signal });
    assert.deepEqual(errorOf(result), ['ABORTED', message]);
    assert.equal(posted.length, 1);
    assert.ok(performance.now() - began < 20_000, 'the call does not wait for the time that the relay named');
  }
});

test('a signal has no effect on a call that has returned, and keeps no listener', async () => {
  const { realtime } = backend({});
  const controller = new AbortController();
  const result = await realtime.publish('n', 'x', { context, signal: controller.signal });
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  controller.abort();
  assert.equal(result.errors, undefined);
});

test('a wrong signal is refused, and a stream takes none', async () => {
  const { realtime } = backend({});
  await assert.rejects(
    realtime.publish('n', 'x', { context, signal: true as never }),
    isError('INVALID_ARGUMENT', /signal must be an AbortSignal, not boolean/),
  );
  const options = { context, scope: {}, signal: new AbortController().signal };
  assert.throws(
    () => realtime.createStream('n', options as never),
    isError('INVALID_ARGUMENT', /A stream takes no signal\. End it with fail\(\)/),
  );
});
