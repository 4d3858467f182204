// Transactions of Forge storage: all operations, or none if a condition on an entity does not hold.
import { StorageError } from './storage.mjs';

/** @typedef {{ condition: string, property: string, values: unknown[] }} Condition */
/** @typedef {{ and?: Condition[], or?: Condition[] }} Conditions */
/** @typedef {{ key: string, entityName?: string, conditions?: Conditions }} Operation */
/** @typedef {Operation & { value: unknown, options?: import('./storage.mjs').SetOptions }} SetOperation */

const MAX_OPERATIONS = 25;

/** The conditions on a number or a string. They do not hold for a value of another type. */
const COMPARISONS = /** @type {Map<string, (value: any, values: any[]) => boolean>} */ (
  new Map(
    Object.entries({
      BETWEEN: (value, [low, high]) => value >= low && value <= high,
      GREATER_THAN: (value, [bound]) => value > bound,
      GREATER_THAN_EQUAL_TO: (value, [bound]) => value >= bound,
      LESS_THAN: (value, [bound]) => value < bound,
      LESS_THAN_EQUAL_TO: (value, [bound]) => value <= bound,
      BEGINS_WITH: (value, [start]) => String(value).startsWith(String(start)),
      CONTAINS: (value, [part]) => String(value).includes(String(part)),
      NOT_CONTAINS: (value, [part]) => !String(value).includes(String(part)),
    }),
  )
);

/**
 * @param {import('./storage.mjs').Spaces} spaces
 * @param {{ set?: SetOperation[], delete?: Operation[], check?: Operation[] }} request
 */
export function transact(spaces, { set = [], delete: deleted = [], check = [] }) {
  const operations = [...set, ...deleted, ...check];
  const keys = new Set(operations.map(({ key, entityName = '' }) => JSON.stringify([entityName, key])));
  if (operations.length > MAX_OPERATIONS || keys.size < operations.length) {
    const limit = `A transaction has at most ${MAX_OPERATIONS} operations, and each key once.`;
    throw new StorageError(400, 'BAD_REQUEST', limit);
  }
  const spaceOf = (/** @type {Operation} */ { entityName }) =>
    entityName === undefined ? spaces.values : spaces.entity(entityName);
  for (const operation of operations) {
    const entity = spaceOf(operation).get(operation.key)?.value;
    if (operation.conditions && !holds(entity, operation.conditions)) {
      // The platform's documentation names no code for this error, so an app must not depend on it.
      throw new StorageError(409, 'CONDITION_NOT_MET', `A condition on '${operation.key}' does not hold.`);
    }
  }
  for (const operation of set) spaceOf(operation).set(operation.key, operation.value, operation.options);
  for (const operation of deleted) spaceOf(operation).delete(operation.key);
}

/**
 * @param {unknown} entity undefined if it does not exist
 * @param {Conditions} conditions
 */
function holds(entity, { and, or }) {
  const attributes = new Map(Object.entries(entity ?? {}));
  const isMet = (/** @type {Condition} */ { condition, property, values }) =>
    compare(condition, attributes.get(property), values);
  return or ? or.some(isMet) : (and ?? []).every(isMet);
}

/**
 * @param {string} condition
 * @param {unknown} value undefined if the entity or its attribute does not exist
 * @param {unknown[]} values
 */
function compare(condition, value, values) {
  switch (condition) {
    case 'EXISTS':
      return value !== undefined;
    case 'NOT_EXISTS':
      return value === undefined;
    case 'EQUAL_TO':
      return value === values.at(0);
    case 'NOT_EQUAL_TO':
      return value !== values.at(0);
  }
  const comparison = COMPARISONS.get(condition);
  if (!comparison) throw new StorageError(400, 'BAD_REQUEST', `The condition '${condition}' is unknown.`);
  return typeof value === typeof values.at(0) && comparison(value, values);
}
