// The Forge context token of a page: what Atlassian signs of its context. Here nothing is signed, and nothing checks it.
import { SITE } from './members.mjs';

/**
 * The module and its type. Atlassian documents of which products' properties it checks the user's access: boards, issues,
 * projects, content, spaces, repositories and pull requests. A dashboard is none of them.
 * @param {import('./members.mjs').Member} member
 * @param {string} moduleKey
 */
export function contextToken({ accountId }, moduleKey) {
  const claims = {
    iss: 'forge/context-token',
    aud: 'forge',
    installationId: SITE.installationId,
    accountId,
    context: { cloudId: SITE.cloudId, moduleKey, extension: { type: 'jira:dashboardGadget' } },
  };
  return [{ alg: 'none', kid: 'forge/context-token/local' }, claims, 'unsigned'].map(part).join('.');
}

/** @param {unknown} value */
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
