// Reads the properties of a Forge context, to which a session and a channel can be scoped. Whether anybody vouches for them is
// decided in backend/evidence.ts.

import { MAX_VALUE_BYTES } from '../arguments/properties.js';
import { byteLength } from '../arguments/names.js';
import { ILL_FORMED, isWellFormed } from '../arguments/well-formed.js';
import { SealwireError } from '../errors/sealwire-error.js';

/** The `context` of a Forge resolver function, consumer or trigger, with the fields that this package reads. */
export interface ForgeContext {
  /** The ARI of the site, such as `ari:cloud:jira::site/…`. Forge guarantees it. */
  installContext?: string | undefined;
  /** The account of the user. Forge guarantees it. */
  accountId?: string | undefined;
  /** The kind of account, such as `licensed`, `unlicensed`, `customer` or `anonymous`. */
  accountType?: string | undefined;
  /** The key of the module in manifest.yml. */
  moduleKey?: string | undefined;
  /** The id of the app's environment. */
  environmentId?: string | undefined;
  /** The context of the module's page, such as `{ type, issue: { id } }`. The caller may have invented it. */
  extension?: Record<string, any> | undefined;
  [key: string]: unknown;
}

/** Returns a field at a path. It reads own properties only, since the value comes from outside. */
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

/** Returns an identifier; undefined for a value of another type. A malformed one throws: without it, the scope would widen. */
function identifier(property: string, value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value !== 'string' || value === '') return undefined;
  if (!isWellFormed(value)) throw malformed(property, ILL_FORMED);
  if (byteLength(value) > MAX_VALUE_BYTES)
    throw malformed(property, `has more than ${MAX_VALUE_BYTES} bytes.`);
  return value;
}

/** The prefixes that keep identifiers of different kinds from being equal. */
const KEY = 'key:';
const SPACE = 'space:';

type Extension = (...path: string[]) => unknown;
type Reader = (of: Extension) => string | undefined;

/** Reads the id, or else the key with a prefix, so that a key never equals an id. */
function idOrKey(name: string, mayUseKey: (of: Extension) => boolean = () => true): Reader {
  return (of) => {
    const id = identifier(name, of(name, 'id'));
    if (id?.startsWith(KEY)) throw malformed(name, `has an id that looks like a key.`);
    if (id !== undefined) return id;
    const key = mayUseKey(of) ? identifier(name, of(name, 'key')) : undefined;
    return key === undefined ? undefined : identifier(name, KEY + key);
  };
}

function plain(name: string, ...path: string[]): Reader {
  return (of) => identifier(name, of(...path));
}

/** Reads an identifier that is unique only within its parents, together with them. Only the last part may contain a slash. */
function within(name: string, ...paths: string[][]): Reader {
  return (of) => {
    const parts = paths.map((path) => identifier(name, of(...path)));
    if (parts.some((part) => part === undefined)) return undefined;
    if (parts.slice(0, -1).some((part) => part?.includes('/'))) throw malformed(name, 'contains a slash.');
    return identifier(name, parts.join('/'));
  };
}

function content(of: Extension): string | undefined {
  const id = identifier('content', of('content', 'id'));
  if (id?.startsWith(SPACE)) throw malformed('content', 'has an id that looks like a space.');
  // A space and a page may have the same id.
  if (id !== undefined && of('content', 'type') === 'space') return identifier('content', SPACE + id);
  return id;
}

/** Returns whether a project's key identifies it. In Bitbucket, it is unique only within a workspace. */
const isJira = (of: Extension) => /^(jira|customerServiceManagement)/.test(String(of('type')));

function project(of: Extension): string | undefined {
  return idOrKey('project', isJira)(of) ?? identifier('project', of('project', 'uuid'));
}

/** The readers of all properties, in the order of errors and of the documentation. */
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

/** Returns the properties of the page's content. */
export function extensionProperties(extension: unknown): Map<string, string> {
  const of: Extension = (...path) => fieldOf(extension, ...path);
  const properties = new Map<string, string>();
  for (const [name, read] of READERS) {
    const value = read(of);
    if (value !== undefined) properties.set(name, value);
  }
  return properties;
}

/** Returns property names and values. `module` is absent in an invocation that no page of the product caused. */
export function contextProperties(context: ForgeContext): Map<string, string> {
  const module = identifier('module', context.moduleKey);
  return new Map([
    ...(module === undefined ? [] : [['module', module] as const]),
    ...extensionProperties(context.extension),
  ]);
}
