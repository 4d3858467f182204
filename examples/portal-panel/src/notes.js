// The notes of a request in the installation's Forge storage. Each note has its own key, so concurrent writes never overwrite
// each other, and the keys of a request are in the order of time.
import { randomUUID } from 'node:crypto';
import { kvs, WhereConditions } from '@forge/kvs';

/** @typedef {'customer' | 'agent'} Side */
/**
 * A note. `at` is in Unix milliseconds.
 * @typedef {{ id: string, side: Side, text: string, at: number }} Note
 */

const PAGE = 100;
const MAX_TEXT = 2_000;

/**
 * @param {string} request
 * @returns {Promise<Note[]>} in the order of time
 */
export async function list(request) {
  /** @type {Note[]} */
  const found = [];
  /** @type {string | undefined} */
  let cursor;
  do {
    const query = kvs
      .query()
      .where('key', WhereConditions.beginsWith(prefix(request)))
      .limit(PAGE);
    const page = await (cursor ? query.cursor(cursor) : query).getMany();
    found.push(...page.results.map(({ value }) => /** @type {Note} */ (value)));
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

/**
 * @param {string} request
 * @param {Side} side
 * @param {unknown} input the text, which this function validates
 * @returns {Promise<Note>}
 */
export async function add(request, side, input) {
  const text = typeof input === 'string' ? input.trim() : '';
  if (text === '' || text.length > MAX_TEXT) throw new Error(`A note has 1 to ${MAX_TEXT} characters.`);
  const at = Date.now();
  const id = `${String(at).padStart(15, '0')}-${randomUUID()}`;
  const note = { id, side, text, at };
  await kvs.set(prefix(request) + id, note, { keyPolicy: 'FAIL_IF_EXISTS' });
  return note;
}

/** @param {string} request */
const prefix = (request) => `note:${request}:`;
