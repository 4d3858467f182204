// The calling user. The name comes from Jira, never from the browser.
import api, { route } from '@forge/api';

/**
 * @param {string} accountId
 * @returns {Promise<import('./absences.js').Person>}
 */
export async function currentPerson(accountId) {
  const response = await api.asUser().requestJira(route`/rest/api/3/myself`);
  if (!response.ok) throw new Error(`Jira did not return the calling user (status ${response.status}).`);
  const { displayName } = await response.json();
  return { accountId, name: displayName };
}
