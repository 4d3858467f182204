// The absences, with the user's changes of them and the newest one of others.
import { useCallback, useState } from 'react';
import type { Absence } from '../../../src/absences';
import { invoke } from '../../common/invoke';
import { useAbsences } from '../../common/useAbsences';
import type { useProblem } from '../../common/useProblem';

export type NewAbsence = Pick<Absence, 'kind' | 'from' | 'to' | 'note'>;

export function useAbsenceChanges({ report, attempt }: ReturnType<typeof useProblem>) {
  const [arrived, setArrived] = useState<string>();
  const { me, absences, apply } = useAbsences(report, (change) => {
    if (change.type === 'added') setArrived(change.absence.id);
  });

  const add = useCallback(
    (input: NewAbsence) =>
      attempt(async () => {
        const absence = await invoke<Absence>('absences.add', input);
        apply({ type: 'added', absence });
        return absence;
      }),
    [apply, attempt],
  );

  const remove = useCallback(
    (id: string) =>
      attempt(async () => {
        await invoke('absences.remove', { id });
        apply({ type: 'removed', id });
      }),
    [apply, attempt],
  );

  return { me, absences, arrived, add, remove };
}
