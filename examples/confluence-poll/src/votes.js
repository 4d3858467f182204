// The votes in the installation's Forge storage. Each ballot has its own key, so concurrent votes never overwrite each other,
// and an account has one ballot in a poll, however often it votes. Votes do not name the account.
import { randomUUID } from 'node:crypto';
import { kvs, MetadataField, WhereConditions } from '@forge/kvs';

/** @typedef {{ content: string, macro: string }} Poll */
/**
 * A vote: the ballot of one account, its option, and the time at which the storage took it, in Unix milliseconds.
 * @typedef {{ ballot: string, option: string, at: number }} Vote
 */

const PAGE = 100;
const MAX_OPTION = 100;
const UPDATED_AT = [MetadataField.UPDATED_AT];

/**
 * Returns the channel of a macro's votes, within the content.
 * @param {string} macro
 */
export const channelOf = (macro) => `votes:${macro}`;

/**
 * @param {unknown} id the macro's `localId`
 * @returns {string}
 */
export function checkedMacro(id) {
  if (typeof id === 'string' && /^[\w-]{1,64}$/.test(id)) return id;
  throw new Error('The macro has no valid id.');
}

/**
 * @param {Poll} poll
 * @returns {Promise<Vote[]>}
 */
export async function list(poll) {
  /** @type {Vote[]} */
  const found = [];
  /** @type {string | undefined} */
  let cursor;
  const prefix = votesOf(poll);
  do {
    const query = kvs
      .query({ metadataFields: UPDATED_AT })
      .where('key', WhereConditions.beginsWith(prefix))
      .limit(PAGE);
    const page = await (cursor ? query.cursor(cursor) : query).getMany();
    for (const { key, value, updatedAt = 0 } of /** @type {Stored[]} */ (page.results)) {
      found.push({ ballot: key.slice(prefix.length), option: value, at: updatedAt });
    }
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

/**
 * Stores the account's vote in place of its earlier one.
 * @param {Poll} poll
 * @param {string} accountId
 * @param {unknown} option
 * @returns {Promise<Vote>}
 */
export async function cast(poll, accountId, option) {
  if (typeof option !== 'string' || option === '' || option.length > MAX_OPTION) {
    throw new Error(`An option is a text of 1 to ${MAX_OPTION} characters.`);
  }
  const ballot = (await ballotOf(poll, accountId)) ?? (await newBallot(poll, accountId));
  const stored = await kvs.set(votesOf(poll) + ballot, option, {
    keyPolicy: 'OVERRIDE',
    returnValue: 'LATEST',
    returnMetadataFields: UPDATED_AT,
  });
  return { ballot, option, at: stored?.updatedAt ?? Date.now() };
}

/**
 * Returns the ballot of an account, a random id; undefined if the account has not voted.
 * @param {Poll} poll
 * @param {string} accountId
 * @returns {Promise<string | undefined>}
 */
export function ballotOf(poll, accountId) {
  return kvs.get(ballotKey(poll, accountId));
}

/**
 * @param {Poll} poll
 * @param {string} accountId
 * @returns {Promise<string>}
 */
async function newBallot(poll, accountId) {
  const ballot = randomUUID();
  try {
    await kvs.set(ballotKey(poll, accountId), ballot, { keyPolicy: 'FAIL_IF_EXISTS' });
    return ballot;
  } catch (error) {
    // The same account votes in another window at the same time, and was first.
    const first = await ballotOf(poll, accountId);
    if (first) return first;
    throw error;
  }
}

/** @typedef {{ key: string, value: string, updatedAt?: number }} Stored */

/** @param {Poll} poll */
const votesOf = ({ content, macro }) => `vote:${content}:${macro}:`;

/**
 * @param {Poll} poll
 * @param {string} accountId
 */
const ballotKey = ({ content, macro }, accountId) => `ballot:${content}:${macro}:${accountId}`;
