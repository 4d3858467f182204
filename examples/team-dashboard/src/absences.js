// The absences of a dashboard in the installation's Forge storage. Each absence has its own key, so that concurrent writes
// never overwrite each other.
import { randomUUID } from 'node:crypto';
import { kvs, WhereConditions } from '@forge/kvs';
import { isDay } from './days.js';

/** @typedef {'vacation' | 'sick' | 'training' | 'parental'} Kind */
/** @typedef {import('./people.js').Person} Person */
/**
 * An absence. `from` and `to` are calendar days (YYYY-MM-DD), and both are included.
 * @typedef {{ id: string, accountId: string, name: string, kind: Kind, from: string, to: string, note: string }} Absence
 */
/** @typedef {{ type: 'added', absence: Absence } | { type: 'removed', id: string }} Change */

const KINDS = ['vacation', 'sick', 'training', 'parental'];
const PAGE = 100;

/**
 * @param {string} dashboard
 * @returns {Promise<Absence[]>} ordered by their first day
 */
export async function list(dashboard) {
  /** @type {Absence[]} */
  const found = [];
  /** @type {string | undefined} */
  let cursor;
  do {
    const query = kvs
      .query()
      .where('key', WhereConditions.beginsWith(prefix(dashboard)))
      .limit(PAGE);
    const page = await (cursor ? query.cursor(cursor) : query).getMany();
    found.push(...page.results.map(({ value }) => /** @type {Absence} */ (value)));
    cursor = page.nextCursor;
  } while (cursor);
  return found.sort((a, b) => a.from.localeCompare(b.from));
}

/**
 * @param {string} dashboard
 * @param {Person} person
 * @param {Record<string, unknown>} input the gadget's input, which this function validates
 * @returns {Promise<Absence>}
 */
export async function add(dashboard, person, input) {
  const absence = { id: randomUUID(), ...person, ...checked(input) };
  await kvs.set(prefix(dashboard) + absence.id, absence, { keyPolicy: 'FAIL_IF_EXISTS' });
  return absence;
}

/**
 * Removes one of the user's absences. Does nothing if the absence does not exist.
 * @param {string} dashboard
 * @param {string} accountId
 * @param {unknown} id
 */
export async function remove(dashboard, accountId, id) {
  if (typeof id !== 'string') throw new Error('The id of the absence is missing.');
  const key = prefix(dashboard) + id;
  const absence = /** @type {Absence | undefined} */ (await kvs.get(key));
  if (absence && absence.accountId !== accountId) throw new Error('You can only remove your own absences.');
  await kvs.delete(key);
}

/** @param {string} dashboard */
const prefix = (dashboard) => `absence:${dashboard}:`;

/**
 * @param {Record<string, unknown>} input
 * @returns {{ kind: Kind, from: string, to: string, note: string }}
 */
function checked({ kind, from, to, note = '' }) {
  if (!KINDS.includes(/** @type {string} */ (kind)))
    throw new Error(`The kind must be one of: ${KINDS.join(', ')}.`);
  if (!isDay(from) || !isDay(to)) throw new Error('The first and the last day must be dates (YYYY-MM-DD).');
  if (to < from) throw new Error('The last day must not be before the first day.');
  if (typeof note !== 'string' || note.length > 200) throw new Error('A note has at most 200 characters.');
  return { kind: /** @type {Kind} */ (kind), from, to, note: note.trim() };
}
