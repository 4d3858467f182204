// Verifies with the product, as the user of the invocation, what the context claims: `createRealtime({ authorize:
// verifyDashboard })`. Each returns the properties that it proved, or false. An identifier of an unexpected form is asked
// about nowhere.

import { contextProperties, fieldOf, type ForgeContext } from '../context/properties.js';
import { identifiedAccount } from '../backend/accounts.js';
import { askAsUser, path } from './product.js';

/** The properties to which access was proved; false where there is none. */
export type Verified = false | { properties: string[] };

const ID = /^[0-9]{1,20}$/;
const KEY_PREFIX = 'key:';
const ISSUE_KEY = /^[A-Z][A-Z0-9_]{0,254}-[0-9]{1,20}$/;
const PROJECT_KEY = /^[A-Z][A-Z0-9_]{0,254}$/;
const SPACE_KEY = /^[A-Za-z0-9~._-]{1,255}$/;

/** The kinds of content of Confluence's REST API, version 2. */
const CONTENT_PATHS: ReadonlyMap<unknown, string> = new Map([
  ['page', 'pages'],
  ['blogpost', 'blogposts'],
  ['whiteboard', 'whiteboards'],
  ['database', 'databases'],
  ['folder', 'folders'],
  ['embed', 'embeds'],
]);

/** A property's value as the product's id or key of the thing. */
interface Named {
  by: 'id' | 'key';
  value: string;
}

function named(value: string | undefined, key: RegExp): Named | undefined {
  if (value === undefined) return undefined;
  if (ID.test(value)) return { by: 'id', value };
  const text = value.startsWith(KEY_PREFIX) ? value.slice(KEY_PREFIX.length) : '';
  return key.test(text) ? { by: 'key', value: text } : undefined;
}

/** True where the product's answer is about the thing that was asked for. Products follow keys that have changed. */
function isAbout(answer: unknown, { by, value }: Named): boolean {
  const found = fieldOf(answer, by);
  return (typeof found === 'string' || typeof found === 'number') && String(found) === value;
}

/** The module is the platform's word. */
function proved(claimed: ReadonlyMap<string, string>, ...names: string[]): Verified {
  return { properties: [...(claimed.has('module') ? ['module'] : []), ...names] };
}

/** Nobody is asked for a user who is not logged in. */
function claimsOf(context: ForgeContext): ReadonlyMap<string, string> {
  return identifiedAccount(context) === undefined ? new Map() : contextProperties(context);
}

/**
 * Proves that the user may see the dashboard. The dashboard's gadgets are not proved: Jira does not say to which
 * dashboard a gadget belongs without listing them all. Needs the scope `read:jira-work`.
 */
export async function verifyDashboard(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const dashboard = claimed.get('dashboard');
  if (dashboard === undefined || !ID.test(dashboard)) return false;
  const answer = await askAsUser('jira', path`/rest/api/3/dashboard/${dashboard}`);
  return isAbout(answer, { by: 'id', value: dashboard }) && proved(claimed, 'dashboard');
}

/** Proves that the user may see the issue, and that it belongs to the context's project. Needs `read:jira-work`. */
export async function verifyIssue(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const issue = named(claimed.get('issue'), ISSUE_KEY);
  if (!issue) return false;
  const answer = await askAsUser('jira', path`/rest/api/3/issue/${issue.value}?fields=project`);
  if (!isAbout(answer, issue)) return false;
  if (!claimed.has('project')) return proved(claimed, 'issue');
  const project = named(claimed.get('project'), PROJECT_KEY);
  const belongs = project !== undefined && isAbout(fieldOf(answer, 'fields', 'project'), project);
  return belongs && proved(claimed, 'project', 'issue');
}

/** Proves that the user may see the project. Needs `read:jira-work`. */
export async function verifyProject(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const project = named(claimed.get('project'), PROJECT_KEY);
  if (!project) return false;
  const answer = await askAsUser('jira', path`/rest/api/3/project/${project.value}`);
  return isAbout(answer, project) && proved(claimed, 'project');
}

/**
 * Proves that the user may see the page, blog post or other content, and that it belongs to the context's space. Needs
 * the scope of its kind, such as `read:page:confluence`, and `read:space:confluence` where the space has a key alone.
 */
export async function verifyContent(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const content = claimed.get('content');
  const kind = CONTENT_PATHS.get(fieldOf(context.extension, 'content', 'type'));
  if (content === undefined || !ID.test(content) || kind === undefined) return false;
  const answer = await askAsUser('confluence', `/wiki/api/v2/${kind}${path`/${content}`}`);
  if (!isAbout(answer, { by: 'id', value: content })) return false;
  if (!claimed.has('space')) return proved(claimed, 'content');
  const belongs = await isInSpace(fieldOf(answer, 'spaceId'), named(claimed.get('space'), SPACE_KEY));
  return belongs && proved(claimed, 'content', 'space');
}

async function isInSpace(spaceId: unknown, space: Named | undefined): Promise<boolean> {
  if (space === undefined || (typeof spaceId !== 'string' && typeof spaceId !== 'number')) return false;
  const id = String(spaceId);
  if (space.by === 'id') return id === space.value;
  const answer = await askAsUser('confluence', path`/wiki/api/v2/spaces/${id}`);
  return isAbout(answer, space);
}

/**
 * Proves that the user may see the customer request, and that it belongs to the context's portal and request type.
 * Works for customers too. Needs `read:servicedesk-request`.
 */
export async function verifyRequest(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const request = claimed.get('request');
  if (request === undefined || !ISSUE_KEY.test(request)) return false;
  const answer = await askAsUser('jira', path`/rest/servicedeskapi/request/${request}`);
  if (fieldOf(answer, 'issueKey') !== request) return false;
  const names = ['request'];
  for (const [name, field, value] of [
    ['portal', 'serviceDeskId', claimed.get('portal')],
    ['requestType', 'requestTypeId', claimed.get('requestType')?.split('/').at(-1)],
  ] as const) {
    if (value === undefined) continue;
    if (String(fieldOf(answer, field)) !== value) return false;
    names.push(name);
  }
  return proved(claimed, ...names);
}
