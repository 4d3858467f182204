// Creates the Forge context token of a page, which holds the part of the context that Atlassian signs. Here it is not signed,
// and nothing verifies it.
import { SITE } from './members.mjs';

/**
 * Returns a token with the module and its type. Atlassian verifies the user's access to boards, issues, projects, content,
 * spaces, repositories and pull requests, but not to dashboards, so the token does not name the dashboard.
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
