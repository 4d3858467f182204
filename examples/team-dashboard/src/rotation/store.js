// The rotations in the installation's Forge storage, one entity for each dashboard. Every write is a transaction on the
// condition that nobody wrote since the read; otherwise the change is made again, with the newer rotation.
import { Filter, FilterConditions, kvs } from '@forge/kvs';
import * as absences from '../absences.js';
import { Refusal } from './changes.js';
import { EMPTY } from './schedule.js';

/** @typedef {import('./schedule.js').Rotation} Rotation */
/** @typedef {import('./history.js').Moment} Moment */

/** The name of the entity in manifest.yml, whose attributes are those of Rotation. */
export const ENTITY = 'rotation';
const MAX_ATTEMPTS = 10;

/**
 * @param {string} dashboard
 * @returns {Promise<Rotation>}
 */
export async function load(dashboard) {
  return (await kvs.entity(ENTITY).get(dashboard)) ?? EMPTY;
}

/**
 * Changes a rotation. The absences are read after the rotation, and a change of an absence writes the rotation afterwards. So
 * either this read sees the absence, or this write fails and is made again.
 * @param {string} dashboard
 * @param {(before: Rotation, moment: Moment) => Rotation} change may be called several times
 * @returns {Promise<{ rotation: Rotation, isChanged: boolean }>}
 */
export async function update(dashboard, change) {
  let before = await load(dashboard);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const after = change(before, { now: Date.now(), absences: await absences.list(dashboard) });
    if (after === before) return { rotation: before, isChanged: false };
    const rotation = { ...after, version: before.version + 1 };
    try {
      await write(dashboard, rotation, before.version);
      return { rotation, isChanged: true };
    } catch (error) {
      const newer = await load(dashboard);
      if (newer.version === before.version) throw error;
      before = newer;
    }
  }
  throw new Refusal('Several people are changing the rotation. Try again.');
}

/**
 * @param {string} dashboard
 * @param {Rotation} rotation
 * @param {number} version the version that this write replaces
 */
async function write(dashboard, rotation, version) {
  if (version === EMPTY.version)
    return kvs.entity(ENTITY).set(dashboard, rotation, { keyPolicy: 'FAIL_IF_EXISTS' });
  /** @type {Filter<Rotation>} */
  const filter = new Filter();
  const conditions = filter.and('version', FilterConditions.equalTo(version));
  await kvs.transact().set(dashboard, rotation, { entityName: ENTITY, conditions }).execute();
}
