// The calling user. The name and the time zone come from Jira, never from the browser.
import api, { route } from '@forge/api';

/** @typedef {{ accountId: string, name: string }} Person */

/**
 * @param {string} accountId
 * @returns {Promise<Person>}
 */
export async function currentPerson(accountId) {
  const { displayName } = await currentUser();
  return { accountId, name: displayName };
}

/**
 * Returns the calling user, and the time zone of their profile.
 * @param {string} accountId
 * @returns {Promise<{ person: Person, timeZone: unknown }>}
 */
export async function currentPersonWithTimeZone(accountId) {
  const { displayName, timeZone } = await currentUser();
  return { person: { accountId, name: displayName }, timeZone };
}

/** @returns {Promise<{ displayName: string, timeZone?: string }>} */
async function currentUser() {
  const response = await api.asUser().requestJira(route`/rest/api/3/myself`);
  if (!response.ok) throw new Error(`Jira did not return the calling user (status ${response.status}).`);
  return response.json();
}
