import type { Kind } from '../../../src/absences';

/** The labels of the kinds. It is a map and not an object because other users choose the keys that are looked up. */
export const KINDS: ReadonlyMap<Kind, string> = new Map([
  ['vacation', 'Vacation'],
  ['sick', 'Sick leave'],
  ['training', 'Training'],
  ['parental', 'Parental leave'],
]);
