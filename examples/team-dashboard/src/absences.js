// The absences of a dashboard, kept in the installation's Forge storage: one key per absence, so that two people who
// write at the same moment never overwrite each other.
import { randomUUID } from 'node:crypto';
import { kvs, WhereConditions } from '@forge/kvs';

/** @typedef {'vacation' | 'sick' | 'training' | 'parental'} Kind */
/** @typedef {{ accountId: string, name: string }} Person */
/**
 * Dates are calendar days (YYYY-MM-DD), both included.
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
 * @param {Record<string, unknown>} input as the gadget sent it, not yet checked
 * @returns {Promise<Absence>}
 */
export async function add(dashboard, person, input) {
  const absence = { id: randomUUID(), ...person, ...checked(input) };
  await kvs.set(prefix(dashboard) + absence.id, absence, { keyPolicy: 'FAIL_IF_EXISTS' });
  return absence;
}

/**
 * Removes an absence of the user's own; one that is gone already counts as removed.
 * @param {string} dashboard
 * @param {string} accountId
 * @param {unknown} id
 */
export async function remove(dashboard, accountId, id) {
  if (typeof id !== 'string') throw new Error('Say which absence to remove.');
  const key = prefix(dashboard) + id;
  const absence = /** @type {Absence | undefined} */ (await kvs.get(key));
  if (absence && absence.accountId !== accountId) throw new Error('Only your own absences can be removed.');
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
    throw new Error(`An absence is one of: ${KINDS.join(', ')}.`);
  if (!isDay(from) || !isDay(to)) throw new Error('First and last day must be dates.');
  if (to < from) throw new Error('The last day lies before the first.');
  if (typeof note !== 'string' || note.length > 200) throw new Error('A note has at most 200 characters.');
  return { kind: /** @type {Kind} */ (kind), from, to, note: note.trim() };
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
const isDay = (value) =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && !isNaN(Date.parse(value));
