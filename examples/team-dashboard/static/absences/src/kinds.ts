import type { Kind } from '../../../src/absences';

export const KINDS: Record<Kind, string> = {
  vacation: 'Vacation',
  sick: 'Sick leave',
  training: 'Training',
  parental: 'Parental leave',
};
