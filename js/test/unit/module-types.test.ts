// Compares the table of module types with @forge/manifest and with the documentation, and checks each type.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { isPersonal, noDefaultScope } from '../../src/context/default-scope.js';
import { MODULE_TYPES, type Needs } from '../../src/context/module-types.js';
import { contextProperties } from '../../src/context/properties.js';
import { CONNECT, WITHOUT_IDENTITY, WITHOUT_PAGE } from '../../src/context/types-without-scope.js';

/** Returns all types that the newest manifest may declare. */
function manifestTypes(): string[] {
  const require = createRequire(import.meta.url);
  const schema = path.join(path.dirname(require.resolve('@forge/manifest')), 'schema/manifest-schema.json');
  const { properties, definitions } = JSON.parse(readFileSync(schema, 'utf8')) as {
    properties: { modules: { $ref: string } };
    definitions: Record<string, { properties: object }>;
  };
  return Object.keys(definitions[properties.modules.$ref.split('/').at(-1)!]!.properties);
}

const WITHOUT: readonly string[] = [...WITHOUT_PAGE, ...WITHOUT_IDENTITY];

test('every module type of @forge/manifest is classified, and no other', () => {
  const types = manifestTypes();
  assert.ok(types.length > 200, `${types.length} types`);
  const classified = [...MODULE_TYPES.keys(), ...WITHOUT];
  const forge = types.filter((type) => !CONNECT.test(type));
  assert.deepEqual(
    forge.filter((type) => !classified.includes(type)),
    [],
    'not classified',
  );
  assert.deepEqual(
    classified.filter((type) => !forge.includes(type)),
    [],
    'not in the manifest',
  );
  assert.equal(new Set(classified).size, classified.length, 'classified once');
});

/** Returns the extension of a page about the items of this number, with the identifiers that Atlassian documents. */
function extension(type: string, number: number): Record<string, unknown> {
  const id = String(number);
  const all: Record<string, object> = {
    issue: { issue: { id, key: `A-${id}` } },
    project: type.startsWith('bitbucket:')
      ? { project: { uuid: `{${id}}`, key: 'P' } }
      : { project: { id, key: 'P' } },
    board: { board: { id, type: 'scrum' } },
    sprint: { sprint: { id, state: 'active' } },
    dashboard: { dashboard: { id } },
    gadget: { gadget: { id } },
    field: { fieldId: `customfield_${id}` },
    content: { content: { id, type: 'page' } },
    template: { template: { id } },
    space: { space: { id, key: 'S' } },
    // The same number identifies another item in another repository, portal and workspace.
    repository: { repository: { uuid: `{${id}}` } },
    pullRequest: { repository: { uuid: `{${id}}` }, pullRequest: { id: 5 } },
    file: { repository: { uuid: `{${id}}` }, commit: { hash: 'c0' }, file: { path: 'a' } },
    workspace: { workspace: { uuid: `{${id}}` } },
    portal: { portal: { id: number } },
    request: { request: { key: `SD-${id}` } },
    requestType: { portal: { id: number }, request: { typeId: 1 } },
    organization: { organization: { id: number } },
    helpCenter: { helpCenter: { id } },
    assetsImport: { workspaceId: id, schemaId: '1', importId: '1' },
    component: { componentId: `ari:cloud:compass:c:component/${id}` },
    team: { teamId: `ari:cloud:identity::team/${id}` },
    page: {},
    account: {},
  };
  const merged: Record<string, unknown> = { type };
  for (const name of needsOf(type).flat()) {
    for (const [field, value] of Object.entries(all[name] ?? assert.fail(`no example of ${name}`))) {
      merged[field] = { ...(merged[field] as object), ...(value as object) };
      if (typeof value !== 'object') merged[field] = value;
    }
  }
  return merged;
}

const needs = (type: string): Needs => MODULE_TYPES.get(type) ?? assert.fail(type);

function needsOf(type: string): readonly (readonly string[])[] {
  const found = needs(type);
  if ('all' in found) return [found.all];
  return 'either' in found ? found.either.slice(0, 1) : [...found.cases.values()];
}

/** Returns the pages of a type: the rest of each context, and the properties that its default scope needs. */
function pagesOf(type: string): { more: object; needed: readonly string[] }[] {
  const found = needs(type);
  if (!('cases' in found)) return needsOf(type).map((needed) => ({ more: {}, needed }));
  return [...found.cases].map(([value, needed]) => ({ more: { [found.field]: value }, needed }));
}

/** Returns the default scope of a page of this type, or the reason for which there is none. */
function scopeOf(type: string | undefined, extension: object, accountId: string | undefined = 'ada') {
  const properties = contextProperties({ moduleKey: 'm', extension });
  if (accountId !== undefined && isPersonal(type, extension)) properties.set('account', accountId);
  const why = noDefaultScope({ type, extension, properties, stated: false });
  return why ?? Object.fromEntries(properties);
}

for (const type of MODULE_TYPES.keys()) {
  for (const { more, needed } of pagesOf(type)) {
    const page = Object.values(more)[0] ?? '';
    const personal = needed.includes('account');
    const things = needed.filter((name) => name !== 'account' && name !== 'page');

    test(`${type} ${page}: the default scope is the module and ${needed.join(', ') || 'nothing else'}`, () => {
      const [one, two] = [
        scopeOf(type, { ...extension(type, 1), ...more }),
        scopeOf(type, { ...extension(type, 2), ...more }),
      ];
      assert.equal(typeof one, 'object', String(one));
      for (const name of ['module', ...needed]) assert.ok(Object.hasOwn(one as object, name), name);
      if (things.length > 0) assert.notDeepEqual(one, two, 'two things never share a channel');
      if (personal) {
        const other = scopeOf(type, { ...extension(type, 1), ...more }, 'ben');
        assert.notDeepEqual(one, other, 'two users never share a channel');
        assert.match(String(scopeOf(type, { ...extension(type, 1), ...more }, '')), /./);
      }
      for (const name of needed) {
        const properties = contextProperties({
          moduleKey: 'm',
          extension: { ...extension(type, 1), ...more },
        });
        if (personal) properties.set('account', 'ada');
        properties.delete(name);
        const why = noDefaultScope({
          type,
          extension: { ...extension(type, 1), ...more },
          properties,
          stated: false,
        });
        assert.match(
          String(why),
          new RegExp(`no default channel.*'${name}'.*contextOverrides.*token.*properties`),
          name,
        );
      }
    });
  }
}

test('a type without a default scope, an unknown one and none at all are refused', () => {
  for (const type of [...WITHOUT, 'jira:newThing', '', 'constructor', '__proto__', 'toString', undefined]) {
    assert.match(
      String(scopeOf(type, { issue: { id: '7' } })),
      /no default channel.*contextOverrides.*token.*properties/,
    );
  }
});

test('an unknown page of a known type is refused', () => {
  for (const page of ['new_page', undefined, 'constructor']) {
    const type = 'jiraServiceManagement:portalHeader';
    assert.match(String(scopeOf(type, { type, page, portal: { id: 1 } })), /no default channel.*not known/);
  }
  const type = 'jira:uiModifications';
  assert.match(String(scopeOf(type, { type, viewType: 'GIC', project: { id: '3' } })), /not known/);
});

test('a macro is identified by its content, or in a template by the template', () => {
  assert.deepEqual(scopeOf('macro', { content: { id: '1', type: 'page' } }), { module: 'm', content: '1' });
  assert.deepEqual(scopeOf('macro', { template: { id: '1' } }), { module: 'm', template: '1' });
  assert.match(String(scopeOf('macro', { space: { id: '1' } })), /'content'/);
});

test('the page on scopes lists every type with its default scope', () => {
  const file = fileURLToPath(new URL('../../../../docs/scopes.md', import.meta.url));
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /^\| `[a-zA-Z]+(:[a-zA-Z0-9]+)?` \|/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter((cells) => cells.length === 2);
  const listed = new Map(rows.map(([type, scope]) => [type!.replaceAll('`', ''), scope!]));
  assert.equal(rows.length, listed.size, 'each once');
  const code = (names: readonly string[]) => ['module', ...names].map((name) => `\`${name}\``).join(', ');
  const expected = new Map<string, string>(WITHOUT.map((type) => [type, 'none']));
  for (const [type, found] of MODULE_TYPES) {
    if ('all' in found) expected.set(type, code(found.all));
    else if ('either' in found) expected.set(type, found.either.map(code).join(' or '));
    else expected.set(type, [...found.cases].map(([value, names]) => `${value}: ${code(names)}`).join('; '));
  }
  assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(expected));
});
