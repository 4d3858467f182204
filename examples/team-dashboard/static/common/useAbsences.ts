// The absences of this dashboard, and the user. The Rotation gadget uses them too, to show stand-ins.
import type { Absence, Change } from '../../src/absences';
import type { Person } from '../../src/people';
import { invoke } from './invoke';
import { ABSENCES } from './realtime';
import { useStored } from './useStored';

type Loaded = { me: Person; absences: Absence[] };

const STORED = {
  channel: ABSENCES,
  load: () => invoke<Loaded>('absences.list'),
  reduce: ({ me, absences }: Loaded, change: Change): Loaded => ({ me, absences: changed(absences, change) }),
};

function changed(absences: Absence[], change: Change): Absence[] {
  switch (change.type) {
    case 'added':
      return [...absences.filter(({ id }) => id !== change.absence.id), change.absence].sort((a, b) =>
        a.from.localeCompare(b.from),
      );
    case 'removed':
      return absences.filter(({ id }) => id !== change.id);
  }
}

const NONE: Absence[] = [];

export function useAbsences(onProblem: (message: string) => void, onArrival?: (change: Change) => void) {
  const { state, apply } = useStored<Loaded, Change>(STORED, onProblem, onArrival);
  return { me: state?.me, absences: state?.absences ?? NONE, apply };
}
