// Functions for the option `authorize` that verify a context's claims with the product, as the user of the invocation. Each
// returns the properties that it has verified, or false. An identifier of an unexpected form is never sent to the product.

import { contextProperties, fieldOf, type ForgeContext } from '../context/properties.js';
import { identifiedAccount } from '../backend/accounts.js';
import { askAsUser, path } from './product.js';

/** The properties to which the user's access is verified; false if there are none. */
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

/** A property's value, as an id or a key of the product. */
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

/** Returns whether an answer is about the requested item. Products also resolve keys that have changed. */
function isAbout(answer: unknown, { by, value }: Named): boolean {
  const found = fieldOf(answer, by);
  return (typeof found === 'string' || typeof found === 'number') && String(found) === value;
}

/** Returns verified properties. The platform vouches for the module. */
function verified(claimed: ReadonlyMap<string, string>, ...names: string[]): Verified {
  return { properties: [...(claimed.has('module') ? ['module'] : []), ...names] };
}

/** Returns the claims of the context; none for a user who is not logged in. */
function claimsOf(context: ForgeContext): ReadonlyMap<string, string> {
  return identifiedAccount(context) === undefined ? new Map() : contextProperties(context);
}

/**
 * Verifies that the user may see the dashboard. It does not verify the gadget, since Jira names the dashboard of a gadget
 * only in a list of all gadgets. The app needs the scope `read:jira-work`.
 *
 * @param context - The context of the invocation.
 * @returns The verified properties, or false.
 * @throws SealwireError with the code `SESSION_UNAVAILABLE` if Jira does not answer within 8 seconds.
 *
 * @example
 * ```ts
 * const realtime = createRealtime({ authorize: verifyDashboard });
 * ```
 */
export async function verifyDashboard(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const dashboard = claimed.get('dashboard');
  if (dashboard === undefined || !ID.test(dashboard)) return false;
  const answer = await askAsUser('jira', path`/rest/api/3/dashboard/${dashboard}`);
  return isAbout(answer, { by: 'id', value: dashboard }) && verified(claimed, 'dashboard');
}

/**
 * Verifies that the user may see the issue, and that it belongs to the context's project. The app needs the scope
 * `read:jira-work`.
 *
 * @param context - The context of the invocation.
 * @returns The verified properties, or false.
 * @throws SealwireError with the code `SESSION_UNAVAILABLE` if Jira does not answer within 8 seconds.
 */
export async function verifyIssue(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const issue = named(claimed.get('issue'), ISSUE_KEY);
  if (!issue) return false;
  const answer = await askAsUser('jira', path`/rest/api/3/issue/${issue.value}?fields=project`);
  if (!isAbout(answer, issue)) return false;
  if (!claimed.has('project')) return verified(claimed, 'issue');
  const project = named(claimed.get('project'), PROJECT_KEY);
  const belongs = project !== undefined && isAbout(fieldOf(answer, 'fields', 'project'), project);
  return belongs && verified(claimed, 'project', 'issue');
}

/**
 * Verifies that the user may see the project. The app needs the scope `read:jira-work`.
 *
 * @param context - The context of the invocation.
 * @returns The verified properties, or false.
 * @throws SealwireError with the code `SESSION_UNAVAILABLE` if Jira does not answer within 8 seconds.
 */
export async function verifyProject(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const project = named(claimed.get('project'), PROJECT_KEY);
  if (!project) return false;
  const answer = await askAsUser('jira', path`/rest/api/3/project/${project.value}`);
  return isAbout(answer, project) && verified(claimed, 'project');
}

/**
 * Verifies that the user may see the page, blog post or other content, and that it belongs to the context's space. The app
 * needs the scope of the kind, such as `read:page:confluence`, and `read:space:confluence` if the context has only the
 * space's key.
 *
 * @param context - The context of the invocation.
 * @returns The verified properties, or false.
 * @throws SealwireError with the code `SESSION_UNAVAILABLE` if Confluence does not answer within 8 seconds.
 */
export async function verifyContent(context: ForgeContext): Promise<Verified> {
  const claimed = claimsOf(context);
  const content = claimed.get('content');
  const kind = CONTENT_PATHS.get(fieldOf(context.extension, 'content', 'type'));
  if (content === undefined || !ID.test(content) || kind === undefined) return false;
  const answer = await askAsUser('confluence', `/wiki/api/v2/${kind}${path`/${content}`}`);
  if (!isAbout(answer, { by: 'id', value: content })) return false;
  if (!claimed.has('space')) return verified(claimed, 'content');
  const belongs = await isInSpace(fieldOf(answer, 'spaceId'), named(claimed.get('space'), SPACE_KEY));
  return belongs && verified(claimed, 'content', 'space');
}

async function isInSpace(spaceId: unknown, space: Named | undefined): Promise<boolean> {
  if (space === undefined || (typeof spaceId !== 'string' && typeof spaceId !== 'number')) return false;
  const id = String(spaceId);
  if (space.by === 'id') return id === space.value;
  const answer = await askAsUser('confluence', path`/wiki/api/v2/spaces/${id}`);
  return isAbout(answer, space);
}

/**
 * Verifies that the user may see the customer request, and that it belongs to the context's portal and request type. It
 * serves for customers too. The app needs the scope `read:servicedesk-request`.
 *
 * @param context - The context of the invocation.
 * @returns The verified properties, or false.
 * @throws SealwireError with the code `SESSION_UNAVAILABLE` if Jira does not answer within 8 seconds.
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
  return verified(claimed, ...names);
}
