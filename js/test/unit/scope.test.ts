import assert from 'node:assert/strict';
import { test } from 'node:test';

import { backendFrom, type BackendOptions } from '../../src/backend/backend.js';
import { Inquiry } from '../../src/backend/inquiry.js';
import type { SecretStore } from '../../src/backend/options.js';
import { publishScope, type ScopeOptions } from '../../src/backend/scope.js';
import { Confluence, Jira } from '../../src/context/product-context.js';
import { contextProperties, type ForgeContext } from '../../src/context/properties.js';
import { testSigning } from '../../src/testing/resolver-core.js';
import { isError } from '../support/rejects.js';

const gadget = {
  installContext: 'ari:cloud:jira::site/1',
  moduleKey: 'absences',
  extension: {
    type: 'jira:dashboardGadget',
    dashboard: { id: '10001' },
    gadget: { id: 10204 },
    location: 'x',
  },
};

const nothing = {
  core: () => assert.fail('a scope needs no core'),
  secrets: () => ({}) as SecretStore,
  signing: testSigning,
};

/** Returns the scope of a context that its host has made itself, and which is trusted. */
async function scopeOf(context: ForgeContext, options: ScopeOptions = {}, more: BackendOptions = {}) {
  const backend = backendFrom({ trustUnsignedContext: true, ...more }, nothing);
  return Object.fromEntries(await publishScope(new Inquiry(backend), context, options));
}

const properties = (context: ForgeContext) => Object.fromEntries(contextProperties(context));

test('the properties are the module and the identifiers of the page’s content', () => {
  assert.deepEqual(properties(gadget), { module: 'absences', dashboard: '10001', gadget: '10204' });
  assert.deepEqual(
    properties({
      moduleKey: 'panel',
      extension: { issue: { id: '7', key: 'A-7' }, project: { id: '3' }, board: { id: 4 } },
    }),
    { module: 'panel', project: '3', issue: '7', board: '4' },
  );
  assert.deepEqual(
    properties({
      moduleKey: 'pr',
      extension: {
        repository: { uuid: '{r}', id: 9 },
        pullRequest: { id: 5 },
        content: { id: '' },
        space: {},
      },
    }),
    { module: 'pr', repository: '{r}', pullRequest: '{r}/5' },
  );
});

test('an identifier that is unique within its parent names the parent, and is absent without it', () => {
  const portal = { type: 'jiraServiceManagement:portalHeader', page: 'view_request' };
  for (const [extension, expected] of [
    [{ pullRequest: { id: 5 } }, {}],
    [
      { repository: { uuid: '{a}' }, commit: { hash: 'c0' } },
      { repository: '{a}', commit: '{a}/c0' },
    ],
    [
      { repository: { uuid: '{a}' }, commit: { hash: 'c0' }, file: { path: 'src/a b.rs' } },
      { repository: '{a}', commit: '{a}/c0', file: '{a}/c0/src/a b.rs' },
    ],
    [
      { project: { id: '3' }, queue: { id: 2 } },
      { project: '3', queue: '3/2' },
    ],
    [{ queue: { id: 2 } }, {}],
    [
      { ...portal, portal: { id: 1 }, request: { key: 'SD-1', typeId: 9 } },
      { portal: '1', request: 'SD-1', requestType: '1/9', page: 'view_request' },
    ],
    [{ request: { typeId: 9 } }, {}],
    [{ workspaceId: 'w', schemaId: '1', importId: '2' }, { assetsImport: 'w/1/2' }],
    [{ schemaId: '1', importId: '2' }, {}],
  ] as const) {
    assert.deepEqual(properties({ extension }), expected, JSON.stringify(extension));
  }
});

test('an identifier never equals one of another parent, another kind or another form', () => {
  const only = (name: string, extension: object) => contextProperties({ extension }).get(name);
  const pull = (uuid: string, id: number) =>
    only('pullRequest', { repository: { uuid }, pullRequest: { id } });
  assert.notEqual(pull('{a}', 5), pull('{b}', 5));
  const slash = { repository: { uuid: 'a/1' }, pullRequest: { id: 5 } };
  assert.throws(() => only('pullRequest', slash), isError('SCOPE_REFUSED', /'pullRequest' contains a slash/));

  assert.equal(only('issue', { issue: { key: 'A-7' } }), 'key:A-7');
  assert.notEqual(only('issue', { issue: { key: 'A-7' } }), only('issue', { issue: { id: 'A-7' } }));
  assert.throws(
    () => only('issue', { issue: { id: 'key:A-7' } }),
    isError('SCOPE_REFUSED', /'issue' has an id that looks like a key/),
  );
  assert.equal(only('space', { space: { key: 'DEV' } }), 'key:DEV');

  assert.equal(only('content', { content: { id: '9', type: 'space' } }), 'space:9');
  assert.equal(only('content', { content: { id: '9', type: 'page' } }), '9');
  assert.throws(
    () => only('content', { content: { id: 'space:9' } }),
    isError('SCOPE_REFUSED', /like a space/),
  );

  // The key of a Bitbucket project is unique only within its workspace.
  const project = { uuid: '{p}', key: 'P' };
  assert.equal(only('project', { type: 'bitbucket:projectSettingsMenuPage', project }), '{p}');
  const keyed = { project: { key: 'P' } };
  assert.equal(only('project', { type: 'bitbucket:projectSettingsMenuPage', ...keyed }), undefined);
  assert.equal(only('project', { type: 'jira:projectPage', ...keyed }), 'key:P');
});

test('a value that is not an identifier is not a property', () => {
  assert.deepEqual(
    properties({ moduleKey: 'm', extension: { issue: { id: { nested: 1 } }, project: null } }),
    {
      module: 'm',
    },
  );
  assert.deepEqual(properties({ extension: { issue: { id: NaN }, project: { id: [] } } }), {});
  assert.deepEqual(properties({ extension: 'text' as unknown as Record<string, unknown> }), {});
  // Inherited properties are not fields of the context.
  const inherited = Object.create({ issue: { id: '7' } }) as object;
  assert.deepEqual(properties({ extension: inherited }), {});
});

test('a malformed identifier is refused, since dropping it would widen the scope', () => {
  assert.throws(
    () => contextProperties({ extension: { issue: { id: '\ud800' } } }),
    isError('SCOPE_REFUSED', /'issue' is not well-formed Unicode/),
  );
  assert.throws(
    () => contextProperties({ extension: { board: { id: 'x'.repeat(257) } } }),
    isError('SCOPE_REFUSED', /'board' has more than 256 bytes/),
  );
  assert.throws(
    () => contextProperties({ moduleKey: 'é'.repeat(129) }),
    isError('SCOPE_REFUSED', /'module' has more than 256 bytes/),
  );
});

test('the default scope is the whole context, and overrides keep the named properties', async () => {
  assert.deepEqual(await scopeOf(gadget), { module: 'absences', dashboard: '10001', gadget: '10204' });
  assert.deepEqual(await scopeOf(gadget, { contextOverrides: [Jira.Dashboard] }), { dashboard: '10001' });
  assert.deepEqual(await scopeOf(gadget, { contextOverrides: [] }), {});
});

test('an override that the context lacks is refused with the properties that it has', async () => {
  const refusal = isError(
    'SCOPE_REFUSED',
    /no property 'space'\. Its properties: module, dashboard, gadget\./,
  );
  await assert.rejects(scopeOf(gadget, { contextOverrides: [Confluence.Space] }), refusal);
});

test('the name of an inherited property is not a property', async () => {
  for (const name of [...Object.getOwnPropertyNames(Object.prototype), 'board']) {
    const refusal = isError('SCOPE_REFUSED', new RegExp(`no property '${name}'`));
    await assert.rejects(scopeOf(gadget, { contextOverrides: [name] }), refusal);
    await assert.rejects(scopeOf({ ...gadget, extension: {} }, { contextOverrides: [name] }), refusal);
  }
});

test('an invocation without a module never falls back to the whole installation', async () => {
  const trigger = { installContext: 'ari:cloud:jira::site/1' };
  await assert.rejects(scopeOf(trigger), isError('SCOPE_REFUSED', /no default channel.*publishGlobal\(\)/));
  await assert.rejects(
    scopeOf(trigger, { contextOverrides: [Jira.Issue] }),
    isError('SCOPE_REFUSED', /Its properties: none/),
  );
  assert.deepEqual(
    await scopeOf({ ...trigger, extension: { issue: { id: 1 } } }, { contextOverrides: [Jira.Issue] }),
    { issue: '1' },
  );
});

test('a scope that the app states is used as it is, within the limits of scopes', async () => {
  const trigger = { installContext: 'ari:cloud:jira::site/1' };
  assert.deepEqual(await scopeOf(trigger, { scope: { issue: '7', team: 'blue' } }), {
    issue: '7',
    team: 'blue',
  });
  for (const [scope, message] of [
    [{}, /is empty\. Use publishGlobal\(\)/],
    [{ issue: '' }, /'issue' must have 1 to 256 bytes, not 0/],
    [{ issue: 'x'.repeat(257) }, /not 257/],
    [{ issue: 7 }, /'issue' must be a string, not number/],
    [{ issue: undefined }, /'issue' must be a string, not undefined/],
    [{ issue: '\udc00' }, /'issue' is not well-formed/],
    [{ 'an issue': '7' }, /name has 1 to 64/],
    [{ constructor: '7' }, /'constructor' is a name that every object has/],
    [JSON.parse('{"__proto__":"7"}'), /'__proto__' is a name that every object has/],
    [Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`p${n}`, 'v'])), /9 properties; the limit is 8/],
    [['issue'], /must be an object such as .*, not an array/],
    [null, /must be an object such as .*, not null/],
  ] as const) {
    await assert.rejects(
      scopeOf(trigger, { scope }),
      isError('INVALID_ARGUMENT', message),
      JSON.stringify(scope),
    );
  }
  await assert.rejects(
    scopeOf(gadget, { scope: { issue: '7' }, contextOverrides: [Jira.Dashboard] }),
    isError('INVALID_ARGUMENT', /exclude each other/),
  );
});
