// The part of Jira's REST API that the example asks for, answered as the calling user.
import { MEMBERS, SITE } from './members.mjs';

/**
 * @param {string} accountId of the user for whom the function runs
 * @param {string} method
 * @param {string} path
 * @returns {{ status: number, body: string }}
 */
export function answerJira(accountId, method, path) {
  const member = MEMBERS.find((candidate) => candidate.accountId === accountId);
  if (method !== 'GET' || path !== '/rest/api/3/myself') {
    return {
      status: 404,
      body: JSON.stringify({ errorMessages: [`This local host does not answer ${path}.`] }),
    };
  }
  if (!member) return { status: 401, body: JSON.stringify({ errorMessages: ['No such user.'] }) };
  const { displayName } = member;
  const self = `${SITE.siteUrl}/rest/api/3/user?accountId=${accountId}`;
  return {
    status: 200,
    body: JSON.stringify({ self, accountId, accountType: 'atlassian', displayName, active: true }),
  };
}
