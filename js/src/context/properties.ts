// The properties that a Forge context brings: what a session and a channel can be scoped to. Nothing here says whether
// anybody vouches for them.

import { MAX_VALUE_BYTES } from '../arguments/properties.js';
import { byteLength } from '../arguments/names.js';
import { ILL_FORMED, isWellFormed } from '../arguments/well-formed.js';
import { SealwireError } from '../errors/sealwire-error.js';

/** The `context` of a Forge resolver function, consumer or trigger, as far as it is read here. */
export interface ForgeContext {
  installContext?: string | undefined;
  accountId?: string | undefined;
  accountType?: string | undefined;
  moduleKey?: string | undefined;
  environmentId?: string | undefined;
  /** The context of the module's page, such as `{ type, issue: { id } }`. The caller may have made it up. */
  extension?: Record<string, any> | undefined;
  [key: string]: unknown;
}

/** Looks up an own field: the context comes from outside, and inherited properties are none of its fields. */
export function fieldOf(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

function malformed(property: string, why: string): SealwireError {
  return new SealwireError('SCOPE_REFUSED', `The context's property '${property}' ${why}`);
}

/** Dropping a malformed identifier would widen the scope, so it is refused. A value that is no identifier at all is absent. */
function identifier(property: string, value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value !== 'string' || value === '') return undefined;
  if (!isWellFormed(value)) throw malformed(property, ILL_FORMED);
  if (byteLength(value) > MAX_VALUE_BYTES)
    throw malformed(property, `has more than ${MAX_VALUE_BYTES} bytes.`);
  return value;
}

/** An identifier under a prefix of its own, so that it equals no identifier of another kind. */
const KEY = 'key:';
const SPACE = 'space:';

type Extension = (...path: string[]) => unknown;
type Reader = (of: Extension) => string | undefined;

/** The id, or else the key under a prefix: an issue known by its key is not the issue that has this text as its id. */
function idOrKey(name: string, keyCounts: (of: Extension) => boolean = () => true): Reader {
  return (of) => {
    const id = identifier(name, of(name, 'id'));
    if (id?.startsWith(KEY)) throw malformed(name, `has an id that looks like a key.`);
    if (id !== undefined) return id;
    const key = keyCounts(of) ? identifier(name, of(name, 'key')) : undefined;
    return key === undefined ? undefined : identifier(name, KEY + key);
  };
}

function plain(name: string, ...path: string[]): Reader {
  return (of) => identifier(name, of(...path));
}

/** An identifier that counts per parent names its parents as well. Only the last part may hold a slash. */
function within(name: string, ...paths: string[][]): Reader {
  return (of) => {
    const parts = paths.map((path) => identifier(name, of(...path)));
    if (parts.some((part) => part === undefined)) return undefined;
    if (parts.slice(0, -1).some((part) => part?.includes('/'))) throw malformed(name, 'holds a slash.');
    return identifier(name, parts.join('/'));
  };
}

function content(of: Extension): string | undefined {
  const id = identifier('content', of('content', 'id'));
  if (id?.startsWith(SPACE)) throw malformed('content', 'has an id that looks like a space.');
  // The ids of spaces and those of pages are counted apart.
  if (id !== undefined && of('content', 'type') === 'space') return identifier('content', SPACE + id);
  return id;
}

/** The keys of Bitbucket's projects count per workspace. */
const isJira = (of: Extension) => /^(jira|customerServiceManagement)/.test(String(of('type')));

function project(of: Extension): string | undefined {
  return idOrKey('project', isJira)(of) ?? identifier('project', of('project', 'uuid'));
}

/** The properties in the order in which errors and the documentation list them. */
const READERS: readonly (readonly [name: string, read: Reader])[] = [
  ['project', project],
  ['issue', idOrKey('issue')],
  ['board', plain('board', 'board', 'id')],
  ['sprint', plain('sprint', 'sprint', 'id')],
  ['dashboard', plain('dashboard', 'dashboard', 'id')],
  ['gadget', plain('gadget', 'gadget', 'id')],
  ['filter', plain('filter', 'filterId')],
  ['field', plain('field', 'fieldId')],
  ['content', content],
  ['space', idOrKey('space')],
  ['template', plain('template', 'template', 'id')],
  ['workspace', plain('workspace', 'workspace', 'uuid')],
  ['repository', plain('repository', 'repository', 'uuid')],
  ['pullRequest', within('pullRequest', ['repository', 'uuid'], ['pullRequest', 'id'])],
  ['commit', within('commit', ['repository', 'uuid'], ['commit', 'hash'])],
  ['file', within('file', ['repository', 'uuid'], ['commit', 'hash'], ['file', 'path'])],
  ['portal', (of) => identifier('portal', of('portal', 'id')) ?? identifier('portal', of('portalId', 'id'))],
  ['request', plain('request', 'request', 'key')],
  ['requestType', within('requestType', ['portal', 'id'], ['request', 'typeId'])],
  ['organization', plain('organization', 'organization', 'id')],
  ['queue', within('queue', ['project', 'id'], ['queue', 'id'])],
  ['helpCenter', plain('helpCenter', 'helpCenter', 'id')],
  ['assetsImport', within('assetsImport', ['workspaceId'], ['schemaId'], ['importId'])],
  ['component', plain('component', 'componentId')],
  ['team', plain('team', 'teamId')],
  [
    'page',
    (of) =>
      /^jiraServiceManagement:portal/.test(String(of('type'))) ? identifier('page', of('page')) : undefined,
  ],
];

/** The properties of what the page shows. */
export function extensionProperties(extension: unknown): Map<string, string> {
  const of: Extension = (...path) => fieldOf(extension, ...path);
  const properties = new Map<string, string>();
  for (const [name, read] of READERS) {
    const value = read(of);
    if (value !== undefined) properties.set(name, value);
  }
  return properties;
}

/** Property name to value. `module` is missing for an invocation that no module of a product's page caused. */
export function contextProperties(context: ForgeContext): Map<string, string> {
  const module = identifier('module', context.moduleKey);
  return new Map([
    ...(module === undefined ? [] : [['module', module] as const]),
    ...extensionProperties(context.extension),
  ]);
}
