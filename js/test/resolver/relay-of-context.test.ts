// The options url, app and signingKey as functions of the context: every call uses their results, and a failure ends it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import type { RealtimeOptions } from '../../src/backend/options.js';
import type { ForgeContext } from '../../src/context/properties.js';
import { createTestRelay } from '../../src/testing.js';
import { claimsOf, context, fakeKvs, fakeRelay, settings, SIGNING_KEY } from '../support/relay.js';
import { isError } from '../support/rejects.js';

const EU: ForgeContext = { ...context, installContext: 'ari:cloud:jira::site/eu' };
const US: ForgeContext = { ...context, installContext: 'ari:cloud:jira::site/us' };
const keyOf = (id: string) => `${id}.${Buffer.alloc(64, id).toString('base64url')}`;

const regionOf = ({ installContext }: ForgeContext) => (installContext === EU.installContext ? 'eu' : 'us');

/** Returns options whose functions name the relay of a region, and the calls of these functions. */
function byRegion() {
  const calls: string[] = [];
  const called = (name: string, context: ForgeContext) => calls.push(`${name} ${regionOf(context)}`);
  const options = {
    url: (context: ForgeContext) => {
      called('url', context);
      return `wss://${regionOf(context)}.relay.example`;
    },
    app: async (context: ForgeContext) => {
      called('app', context);
      return `app-${regionOf(context)}`;
    },
    signingKey: async (context: ForgeContext) => {
      called('signingKey', context);
      return keyOf(regionOf(context));
    },
  } satisfies Partial<RealtimeOptions>;
  return { calls, options };
}

function backend(options: Partial<RealtimeOptions>) {
  const requests: { url: string; claims: Record<string, any> }[] = [];
  const fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const { authorization } = init?.headers as Record<string, string>;
    requests.push({ url: String(url), claims: claimsOf(authorization!.replace('Bearer ', '')) });
    const results = [{ eventId: '00000000000000aa-7', eventTimestamp: 1 }];
    return Response.json(String(url).endsWith('/v1/disconnect') ? { before: 1 } : { results });
  };
  const secrets = forgeSecrets(async () => fakeKvs());
  const realtime = createRealtime({
    authorize: () => true,
    environment: 'test',
    trustUnsignedContext: true,
    secrets,
    fetch: fetch as typeof globalThis.fetch,
    ...options,
  });
  return { realtime, requests };
}

/** Returns the key id in the header of a JWT. */
const keyIn = (token: string) => JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid;

test('a session, a publication, a channel token and a disconnect each use the relay of their context', async () => {
  const { realtime, requests } = backend(byRegion().options);
  for (const [context, region] of [
    [EU, 'eu'],
    [US, 'us'],
  ] as const) {
    const grant = await realtime.session({ context });
    assert.equal(grant.url, `wss://${region}.relay.example/v1/realtime`);
    assert.deepEqual([keyIn(grant.token), claimsOf(grant.token)['iss']], [region, `app-${region}`]);
    assert.equal(grant.app, `app-${region}`);
    const { token } = await realtime.signRealtimeToken('n', { team: 'blue' }, undefined, { context });
    assert.deepEqual([keyIn(token!), claimsOf(token!)['iss']], [region, `app-${region}`]);
    requests.length = 0;
    assert.equal((await realtime.publish('n', 'x', { context })).errors, undefined);
    assert.equal((await realtime.publishGlobal('n', 'x', { context })).errors, undefined);
    assert.equal((await realtime.disconnect('installation', { context })).errors, undefined);
    assert.deepEqual(
      requests.map(({ url, claims }) => [url, claims['iss'], claims['ins']]),
      ['publish', 'publish', 'disconnect'].map((path) => [
        `https://${region}.relay.example/v1/${path}`,
        `app-${region}`,
        `${context.installContext}#test`,
      ]),
    );
  }
});

test('each function is called once per invocation and context, and no result outlives the invocation', async () => {
  const { calls, options } = byRegion();
  const { realtime } = backend(options);
  const handler = realtime.wrap(async (_event: unknown, context: ForgeContext) => {
    await realtime.publish('n', 'x', { scope: { issue: '1' } });
    await Promise.all([realtime.publishGlobal('n', 'x'), realtime.disconnect('installation')]);
    await realtime.signRealtimeToken('n', {});
    await realtime.publishStream('n', ['a', 'b'], { scope: { issue: '1' } });
    await realtime.scope({ contextOverrides: [] });
    return context;
  });
  const once = ['url eu', 'app eu', 'signingKey eu'];
  await handler({}, EU);
  assert.deepEqual(calls, once);
  await handler({}, EU);
  assert.deepEqual(calls, [...once, ...once]);
});

test('outside an invocation, each call asks, and a session asks for itself', async () => {
  const { calls, options } = byRegion();
  const { realtime } = backend(options);
  await realtime.publishGlobal('n', 'x', { context: EU });
  await realtime.publishGlobal('n', 'x', { context: EU });
  await realtime.session({ context: US });
  const each = (region: string) => ['url', 'app', 'signingKey'].map((name) => `${name} ${region}`);
  assert.deepEqual(calls, [...each('eu'), ...each('eu'), ...each('us')]);
  calls.length = 0;
  await realtime.scope({ context: EU, contextOverrides: [] });
  await realtime.rotateKey({ context: EU });
  assert.deepEqual(calls, [], 'scope() and rotateKey() need no relay');
});

test('a user whom authorize() refuses does not cause a call of the functions', async () => {
  const { calls, options } = byRegion();
  const { realtime } = backend({ ...options, authorize: () => false });
  await assert.rejects(realtime.session({ context: EU }), isError('PERMISSION_MISSING', /refused/));
  assert.deepEqual(calls, []);
});

test('functions and fixed values can be mixed', async () => {
  const { realtime, requests } = backend({ ...settings, url: async () => 'https://eu.relay.example/' });
  await realtime.publishGlobal('n', 'x', { context });
  assert.deepEqual(
    requests.map(({ url, claims }) => [url, claims['iss']]),
    [['https://eu.relay.example/v1/publish', 'app-1']],
  );
});

/** Calls everything that needs the relay, and returns the code and message of each failure. */
async function failures(options: Partial<RealtimeOptions>): Promise<string[]> {
  const { realtime, requests } = backend({ ...settings, ...options });
  const failed = async (call: Promise<{ errors?: { code: string; message: string }[] | undefined }>) => {
    const { errors } = await call.catch((thrown: any) => ({ errors: [thrown] }));
    return errors?.map(({ code, message }) => `${code}: ${message}`) ?? ['none'];
  };
  const found = [
    await failed(realtime.session({ context }) as never),
    await failed(realtime.publish('n', 'x', { context })),
    await failed(realtime.publishGlobal('n', 'x', { context })),
    await failed(realtime.signRealtimeToken('n', {}, undefined, { context })),
    await failed(realtime.disconnect('installation', { context })),
  ].flat();
  assert.deepEqual(requests, [], 'the relay receives no request');
  return found.map((text) => text.replace(/^(\w+): \1: /, '$1: '));
}

test('a function that throws, returns no text or returns a wrong text is an error that names the option', async () => {
  process.env['SEALWIRE_URL'] = 'wss://variable.example';
  try {
    for (const [options, expected] of [
      [
        { url: () => Promise.reject(new Error('no region')) },
        /^SESSION_UNAVAILABLE: The function of the option url failed: no region/,
      ],
      [
        {
          app: () => {
            throw new TypeError('no app');
          },
        },
        /^SESSION_UNAVAILABLE: The function of the option app failed: no app/,
      ],
      [
        { url: () => undefined },
        /^INVALID_ARGUMENT: The function of the option url must return an address such as wss:\/\/relay\.example for every context, not undefined/,
      ],
      [
        { url: () => '' },
        /^INVALID_ARGUMENT: The function of the option url must return .*, not an empty text/,
      ],
      [{ app: () => 7 }, /^INVALID_ARGUMENT: The function of the option app must return .*, not number/],
      [{ url: () => 'relay' }, /^INVALID_ARGUMENT: The result of the option url is not a URL/],
      [
        { url: () => 'wss://u:p@relay.example' },
        /^INVALID_ARGUMENT: The result of the option url must consist of scheme, host and path only/,
      ],
      [
        { app: () => 'a'.repeat(129) },
        /^INVALID_ARGUMENT: The result of the option app is longer than 128 bytes/,
      ],
    ] as [Partial<RealtimeOptions>, RegExp][]) {
      for (const found of await failures(options)) assert.match(found, expected);
    }
  } finally {
    delete process.env['SEALWIRE_URL'];
  }
});

test('nothing of the signing key is in an error, its properties, or a console line', async (t) => {
  const lines: unknown[] = [];
  for (const method of ['log', 'warn', 'error', 'debug', 'info'] as const) {
    t.mock.method(console, method, (...all: unknown[]) => lines.push(...all));
  }
  const secret = 'S3cr3t-that-must-not-appear';
  for (const signingKey of [
    () => Promise.reject(new Error(`cannot read ${secret}`)),
    () => {
      throw secret;
    },
    () => `${secret} with spaces`,
    () => ({ key: secret }) as never,
    () => [secret] as never,
  ]) {
    const { realtime } = backend({ ...settings, signingKey });
    for (const call of [
      () => realtime.session({ context }),
      () => realtime.publishGlobal('n', 'x', { context }),
      () => realtime.signRealtimeToken('n', {}, undefined, { context }),
      () => realtime.disconnect('installation', { context }),
    ]) {
      const outcome: unknown = await call().catch((thrown: unknown) => thrown);
      const shown = inspect(outcome, { depth: 10, showHidden: true });
      assert.match(shown, /option signingKey/);
      assert.doesNotMatch(shown, /S3cr3t/);
    }
  }
  assert.deepEqual(lines, []);
});

test('a function that is slow ends the call at its time limit, and the error names the option', async () => {
  const never = () => new Promise<string>(() => {});
  const expected =
    /^SESSION_UNAVAILABLE: The functions of the options url and signingKey returned nothing within 0 s \(the option timeoutMs\)\. The relay was not asked\./;
  for (const found of await failures({ url: never, signingKey: never, timeoutMs: 20 })) {
    assert.match(found, expected);
  }
});

test('a failed function is called again by the next call of the same invocation', async () => {
  let calls = 0;
  const { realtime, requests } = backend({
    ...settings,
    url: async () => {
      calls += 1;
      if (calls === 1) throw new Error('for the moment');
      return 'wss://relay.example';
    },
  });
  const handler = realtime.wrap(async (_event: unknown, _context: ForgeContext) => [
    (await realtime.publishGlobal('n', 'x')).errors?.[0]?.code,
    (await realtime.publishGlobal('n', 'x')).errors?.[0]?.code,
  ]);
  assert.deepEqual(await handler({}, context), ['SESSION_UNAVAILABLE', undefined]);
  assert.deepEqual([calls, requests.length], [2, 1]);
});

test('fixed settings are read once, and a variable that is set later is still found', async () => {
  const { app, signingKey } = settings;
  const { realtime, requests } = backend({ app, signingKey });
  const call = () => realtime.publishGlobal('n', 'x', { context });
  await assert.rejects(call(), isError('INVALID_ARGUMENT', /SEALWIRE_URL is not set/));
  process.env['SEALWIRE_URL'] = 'wss://variable.example';
  try {
    await call();
  } finally {
    delete process.env['SEALWIRE_URL'];
  }
  await call();
  assert.deepEqual(
    requests.map(({ url }) => url),
    ['https://variable.example/v1/publish', 'https://variable.example/v1/publish'],
  );
});

test('a test relay replaces the relay of the app, whose functions are not called', async () => {
  const relay = createTestRelay();
  const fail = (): string => assert.fail('a function of the app was called');
  const realtime = createRealtime({ authorize: () => true, url: fail, app: fail, signingKey: fail });
  await relay.run(() =>
    realtime.publishGlobal('n', 'x', { context: { installContext: relay.installation } }),
  );
  assert.equal(relay.published('n').length, 1);
  // A resolver of the test calls the functions that the test gives it.
  const resolver = relay.resolver({ url: async () => 'wss://eu.relay.example' });
  const grant = await resolver.session({ context: { ...context, installContext: relay.installation } });
  assert.equal(grant.url, 'wss://eu.relay.example/v1/realtime');
});

test('a server of its own may take app and signing key from functions', async () => {
  const { fetch, posted } = fakeRelay();
  const realtime = createRealtime({
    authorize: () => true,
    url: () => 'wss://relay.example',
    app: () => 'app-1',
    signingKey: () => SIGNING_KEY,
    secrets: forgeSecrets(async () => fakeKvs()),
    fetch,
  });
  await realtime.publish('n', 'x', { context });
  assert.equal(posted.length, 1);
});
