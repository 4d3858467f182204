import type { Kind } from '../../../src/absences';

/** A map: the kind of an absence comes over the channel. */
export const KINDS: ReadonlyMap<Kind, string> = new Map([
  ['vacation', 'Vacation'],
  ['sick', 'Sick leave'],
  ['training', 'Training'],
  ['parental', 'Parental leave'],
]);
