// The part of Jira's REST API that the example uses. It answers as the calling user, who may see their own dashboard only.
import { MEMBERS, SITE, TIME_ZONE } from './members.mjs';

const DASHBOARD = /^\/rest\/api\/3\/dashboard\/([^/?]+)$/;

/**
 * @param {string} accountId the user for whom the function runs
 * @param {string} method
 * @param {string} path
 * @returns {{ status: number, body: string }}
 */
export function answerJira(accountId, method, path) {
  const member = MEMBERS.find((candidate) => candidate.accountId === accountId);
  const dashboard = DASHBOARD.exec(path)?.[1];
  if (method !== 'GET' || (path !== '/rest/api/3/myself' && dashboard === undefined)) {
    return refusal(404, `This local host does not implement ${method} ${path}.`);
  }
  if (!member) return refusal(401, 'No such user.');
  if (dashboard !== undefined) {
    // Jira does not reveal the existence of a dashboard that the user may not see.
    if (dashboard !== member.dashboard.id)
      return refusal(404, `The dashboard with id '${dashboard}' does not exist.`);
    const self = `${SITE.siteUrl}/rest/api/3/dashboard/${dashboard}`;
    return { status: 200, body: JSON.stringify({ self, ...member.dashboard }) };
  }
  const { displayName } = member;
  const timeZone = TIME_ZONE;
  const self = `${SITE.siteUrl}/rest/api/3/user?accountId=${accountId}`;
  return {
    status: 200,
    body: JSON.stringify({ self, accountId, accountType: 'atlassian', displayName, active: true, timeZone }),
  };
}

/**
 * @param {number} status
 * @param {string} message
 */
function refusal(status, message) {
  return { status, body: JSON.stringify({ errorMessages: [message] }) };
}
