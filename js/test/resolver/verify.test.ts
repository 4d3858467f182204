// The functions that verify the context with the product, as the user.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import forgeApi, { route } from '@forge/api';

import {
  verifyContent,
  verifyDashboard,
  verifyIssue,
  verifyProject,
  verifyRequest,
} from '../../src/resolver.js';
import { inForge } from '../support/forge-runtime.js';
import { isError } from '../support/rejects.js';

// A CommonJS package: Node returns its exports as the default export.
const api = (forgeApi as unknown as { default: typeof forgeApi }).default ?? forgeApi;

type Answer = Response | (() => Response | Promise<Response>);

/** Stands in for a product that knows these addresses, and answers 404 to all others. */
async function ask<T>(answers: Record<string, Answer>, work: () => Promise<T>) {
  const asked: { path: string; as: string; product: string }[] = [];
  const known = new Map(Object.entries(answers));
  Object.assign(globalThis, {
    __forge_fetch__: async (target: { provider: string; remote: string }, path: string) => {
      asked.push({ path, as: target.provider, product: target.remote });
      const answer = known.get(path) ?? new Response('{}', { status: 404 });
      return answer instanceof Response ? answer : answer();
    },
  });
  return { result: await inForge({ aaid: 'ada' }, work), asked };
}

const of = (extension: object, more: object = {}) => ({
  accountId: 'ada',
  moduleKey: 'm',
  extension,
  ...more,
});
const GADGET = { dashboard: { id: '10001' }, gadget: { id: '1' } };
const PANEL = { issue: { id: '7' }, project: { id: '3' } };

test('a dashboard is verified as the user, and the gadget is not verified', async () => {
  const answers = { '/rest/api/3/dashboard/10001': Response.json({ id: '10001', name: 'd' }) };
  const { result, asked } = await ask(answers, () => verifyDashboard(of(GADGET)));
  assert.deepEqual(result, { properties: ['module', 'dashboard'] });
  assert.deepEqual(asked, [{ path: '/rest/api/3/dashboard/10001', as: 'user', product: 'jira' }]);
});

test('an issue is verified with its project, and another project is refused', async () => {
  const address = '/rest/api/3/issue/7?fields=project';
  const answer = () => Response.json({ id: '7', key: 'A-7', fields: { project: { id: '3', key: 'A' } } });
  const verify = async (extension: object, path = address) =>
    (await ask({ [path]: answer }, () => verifyIssue(of(extension)))).result;
  assert.deepEqual(await verify(PANEL), { properties: ['module', 'project', 'issue'] });
  assert.deepEqual(await verify({ issue: { id: '7' } }), { properties: ['module', 'issue'] });
  assert.equal(await verify({ ...PANEL, project: { id: '4' } }), false);
  assert.equal(await verify({ ...PANEL, issue: { id: '8' } }), false);
  const byKey = '/rest/api/3/issue/A-7?fields=project';
  assert.deepEqual(await verify({ issue: { key: 'A-7' } }, byKey), { properties: ['module', 'issue'] });
  // Jira returns an issue that was moved under its new key.
  assert.equal(await verify({ issue: { key: 'OLD-1' } }, '/rest/api/3/issue/OLD-1?fields=project'), false);
});

test('a project is verified by its id or key', async () => {
  const answer = () => Response.json({ id: '3', key: 'A' });
  const verify = async (project: object, path: string) =>
    (await ask({ [path]: answer }, () => verifyProject(of({ type: 'jira:projectPage', project })))).result;
  assert.deepEqual(await verify({ id: '3' }, '/rest/api/3/project/3'), { properties: ['module', 'project'] });
  assert.deepEqual(await verify({ key: 'A' }, '/rest/api/3/project/A'), {
    properties: ['module', 'project'],
  });
  assert.equal(await verify({ id: '4' }, '/rest/api/3/project/4'), false);
});

test('content is requested by its kind, and verified with its space', async () => {
  const answers = {
    '/wiki/api/v2/pages/9': () => Response.json({ id: '9', spaceId: '5' }),
    '/wiki/api/v2/blogposts/9': () => Response.json({ id: 9, spaceId: 5 }),
    '/wiki/api/v2/spaces/5': () => Response.json({ id: '5', key: 'DEV' }),
  };
  const verify = async (extension: object) => (await ask(answers, () => verifyContent(of(extension)))).result;
  const whole = { properties: ['module', 'content', 'space'] };
  assert.deepEqual(
    await verify({ content: { id: '9', type: 'page' }, space: { id: '5', key: 'DEV' } }),
    whole,
  );
  assert.deepEqual(await verify({ content: { id: '9', type: 'blogpost' }, space: { key: 'DEV' } }), whole);
  assert.deepEqual(await verify({ content: { id: '9', type: 'page' } }), {
    properties: ['module', 'content'],
  });
  for (const [content, space] of [
    [{ id: '9', type: 'page' }, { id: '6' }],
    [{ id: '9', type: 'page' }, { key: 'OPS' }],
    [{ id: '9', type: 'constructor' }, { id: '5' }],
    [{ id: '9', type: 'space' }, { id: '5' }],
    [{ id: '9' }, { id: '5' }],
    [{ id: '8', type: 'page' }, { id: '5' }],
  ]) {
    assert.equal(await verify({ content, space }), false, JSON.stringify([content, space]));
  }
});

test('a request is verified with its portal and its type', async () => {
  const answer = () =>
    Response.json({ issueId: '1', issueKey: 'SD-1', serviceDeskId: '2', requestTypeId: '9' });
  const verify = async (extension: object) =>
    (await ask({ '/rest/servicedeskapi/request/SD-1': answer }, () => verifyRequest(of(extension)))).result;
  assert.deepEqual(await verify({ portal: { id: 2 }, request: { key: 'SD-1', typeId: 9 } }), {
    properties: ['module', 'request', 'portal', 'requestType'],
  });
  assert.deepEqual(await verify({ request: { key: 'SD-1' } }), { properties: ['module', 'request'] });
  assert.equal(await verify({ portal: { id: 3 }, request: { key: 'SD-1' } }), false);
  assert.equal(await verify({ portal: { id: 2 }, request: { key: 'SD-1', typeId: 8 } }), false);
  assert.equal(await verify({ request: { key: 'SD-2' } }), false);
});

test('an identifier of an unexpected form is a no, and is asked about nowhere', async () => {
  const ids = [
    '1/../../myself',
    '..',
    '1?expand=x',
    '1#',
    '%2e%2e',
    '1;2',
    'A B',
    '١',
    '-1',
    '1e3',
    'x'.repeat(30),
  ];
  for (const id of ids) {
    for (const [verify, extension] of [
      [verifyDashboard, { dashboard: { id } }],
      [verifyIssue, { issue: { id } }],
      [verifyIssue, { issue: { key: id } }],
      [verifyProject, { type: 'jira:projectPage', project: { id } }],
      [verifyProject, { type: 'jira:projectPage', project: { key: id } }],
      [verifyContent, { content: { id, type: 'page' } }],
      [verifyRequest, { request: { key: id } }],
    ] as const) {
      const { result, asked } = await ask({}, () => verify(of(extension)));
      assert.deepEqual([result, asked], [false, []], `${verify.name} ${id}`);
    }
  }
});

test('a user who is not logged in is refused without a request', async () => {
  for (const user of [
    { accountId: 'unidentified' },
    { accountId: undefined },
    { accountType: 'anonymous' },
  ]) {
    const { result, asked } = await ask({}, () => verifyDashboard(of(GADGET, user)));
    assert.deepEqual([result, asked], [false, []]);
  }
});

test('an answer about something else is a no', async () => {
  for (const body of [
    {},
    { id: '10002' },
    { id: 10002 },
    { id: null },
    [],
    null,
    'text',
    { id: { 10001: 1 } },
  ]) {
    const answers = { '/rest/api/3/dashboard/10001': Response.json(body) };
    assert.equal((await ask(answers, () => verifyDashboard(of(GADGET)))).result, false, JSON.stringify(body));
  }
});

const proxied = (error: string) =>
  new Response('{}', { status: 403, headers: { 'forge-proxy-error': error } });

test('only a clear answer is a no: everything else rejects, and may be tried again', async () => {
  const path = '/rest/api/3/dashboard/10001';
  for (const status of [401, 403, 404]) {
    const { result } = await ask({ [path]: new Response('{}', { status }) }, () =>
      verifyDashboard(of(GADGET)),
    );
    assert.equal(result, false, String(status));
  }
  const failing: [Answer, RegExp][] = [
    [() => new Response('', { status: 500 }), /HTTP status 500/],
    [() => new Response('', { status: 429 }), /HTTP status 429/],
    [() => new Response('', { status: 302 }), /HTTP status 302/],
    [() => new Response(null, { status: 204 }), /HTTP status 204/],
    [() => Promise.reject(new TypeError('network')), /the request failed/],
    [() => new Response('<html>', { status: 200 }), /the request failed/],
    [() => proxied('PROXY_ERR'), /Forge did not pass the request on \(PROXY_ERR\)/],
    [() => proxied('NEEDS_AUTHENTICATION_ERR'), /the user has to allow the app first/],
  ];
  for (const [answer, message] of failing) {
    const refusal = isError('SESSION_UNAVAILABLE', message);
    await assert.rejects(
      ask({ [path]: answer }, () => verifyDashboard(of(GADGET))),
      (thrown) => refusal(thrown) && (thrown as { retryable: boolean }).retryable,
    );
  }
});

test('the runtime is called as asUser() of @forge/api calls it', async () => {
  const calls: unknown[] = [];
  const fetch = async (target: object, path: string) => {
    // JSON drops undefined fields.
    calls.push(JSON.parse(JSON.stringify([target, path])));
    return Response.json({ id: '10001' });
  };
  Object.assign(globalThis, { __forge_fetch__: fetch });
  await inForge({ aaid: 'ada' }, async () => {
    await verifyDashboard(of(GADGET));
    await api.asUser().requestJira(route`/rest/api/3/dashboard/${'10001'}`);
    await verifyContent(of({ content: { id: '9', type: 'page' } }));
    await api.asUser().requestConfluence(route`/wiki/api/v2/pages/${'9'}`);
  });
  assert.equal(calls.length, 4);
  assert.deepEqual([calls[0], calls[2]], [calls[1], calls[3]]);
});

test('outside of Forge, no product can be requested', async () => {
  Reflect.deleteProperty(globalThis, '__forge_fetch__');
  await assert.rejects(verifyDashboard(of(GADGET)), isError('INVALID_ARGUMENT', /no Forge runtime here/));
});

test('a product that does not answer in time is an error', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let reached = (): void => {};
    const asked = new Promise<void>((resolve) => (reached = resolve));
    const silent = () => (reached(), new Promise<never>(() => {}));
    const verifying = ask({ '/rest/api/3/dashboard/10001': silent }, () => verifyDashboard(of(GADGET)));
    const refused = assert.rejects(verifying, isError('SESSION_UNAVAILABLE', /no answer within 8 s/));
    await asked;
    mock.timers.tick(8_000);
    await refused;
  } finally {
    mock.timers.reset();
  }
});
