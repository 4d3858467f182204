// The HTTP interface of Forge storage, which `@forge/kvs` calls: POST /api/v1/… with a JSON body. Queries of entities and
// batches are not implemented.
import { KeySpace, StorageError } from './storage.mjs';
import { transact } from './transaction.mjs';

/** @typedef {{ status: number, body: string }} Answer */
/** @typedef {import('./storage.mjs').Spaces} Spaces */

const PAGE_LIMIT = 100;

/** @type {Map<string, (spaces: Spaces, body: any) => unknown>} */
const ROUTES = new Map(
  Object.entries({
    '/api/v1/get': ({ values }, body) => read(values, body),
    '/api/v1/set': ({ values }, body) => write(values, body),
    '/api/v1/delete': ({ values }, { key }) => values.delete(key),
    '/api/v1/secret/get': ({ secrets }, body) => read(secrets, body),
    '/api/v1/secret/set': ({ secrets }, body) => write(secrets, body),
    '/api/v1/secret/delete': ({ secrets }, { key }) => secrets.delete(key),
    '/api/v1/entity/get': (spaces, body) => read(spaces.entity(body.entityName), body),
    '/api/v1/entity/set': (spaces, body) => write(spaces.entity(body.entityName), body),
    '/api/v1/entity/delete': (spaces, { entityName, key }) => spaces.entity(entityName).delete(key),
    '/api/v1/query': ({ values }, { where = [], after = '', limit = 10 }) => {
      const prefix = where[0]?.values?.[0] ?? '';
      const page = values.query(prefix, after, Math.min(limit, PAGE_LIMIT));
      return { data: page.data.map(publicEntry), cursor: page.cursor };
    },
    '/api/v1/transaction': (spaces, body) => transact(spaces, body),
  }),
);

/**
 * @param {Spaces} spaces the spaces of the installation
 * @param {string} path
 * @param {string} body
 * @returns {Answer}
 */
export function answerStorage(spaces, path, body) {
  try {
    const route = ROUTES.get(path);
    if (!route) throw new StorageError(501, 'NOT_IMPLEMENTED', `This local host does not implement ${path}.`);
    const result = route(spaces, JSON.parse(body));
    return { status: 200, body: result === undefined ? '' : JSON.stringify(result) };
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return { status: error.status, body: JSON.stringify({ code: error.code, message: error.message }) };
  }
}

/**
 * @param {KeySpace} space
 * @param {{ key: string }} body
 */
function read(space, { key }) {
  const entry = space.get(key);
  if (!entry) throw new StorageError(404, 'KEY_NOT_FOUND', 'Provided key does not exist');
  return publicEntry({ key, ...entry });
}

/**
 * @param {KeySpace} space
 * @param {{ key: string, value: unknown, options?: import('./storage.mjs').SetOptions }} body
 */
function write(space, { key, value, options }) {
  const entry = space.set(key, value, options);
  return entry && publicEntry({ key, ...entry });
}

/** @param {import('./storage.mjs').Entry & { key: string }} entry */
function publicEntry({ key, value, createdAt, updatedAt, expiresAt }) {
  const expireTime = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
  return { key, value, createdAt, updatedAt, expireTime };
}
