// The rooms and their members: the rule that decides about every session and every note.

/** @type {ReadonlyMap<string, ReadonlySet<string>>} */
const MEMBERS = new Map([
  ['kitchen', new Set(['anna', 'ben'])],
  ['garden', new Set(['anna'])],
]);

export const ROOMS = [...MEMBERS.keys()];

/**
 * @param {string | undefined} account
 * @param {string | undefined} room
 */
export const isMember = (account, room) =>
  account !== undefined && room !== undefined && MEMBERS.get(room)?.has(account) === true;
