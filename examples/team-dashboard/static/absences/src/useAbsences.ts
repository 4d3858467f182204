// The list of absences, kept up to date: loaded through the resolver, then followed through Sealwire.
import { useCallback, useEffect, useReducer, useRef, useState } from 'react';
import { invoke } from './invoke';
import type { Absence, Change, Person } from '../../../src/absences';
import { ABSENCES, ON_THIS_DASHBOARD, realtime } from './realtime';

export type NewAbsence = Pick<Absence, 'kind' | 'from' | 'to' | 'note'>;

type Loaded = { me: Person; absences: Absence[] };
type Action = { type: 'loaded'; absences: Absence[] } | Change;

function reduce(absences: Absence[], action: Action): Absence[] {
  switch (action.type) {
    case 'loaded':
      return action.absences;
    case 'added':
      return [...absences.filter(({ id }) => id !== action.absence.id), action.absence].sort((a, b) =>
        a.from.localeCompare(b.from),
      );
    case 'removed':
      return absences.filter(({ id }) => id !== action.id);
  }
}

export function useAbsences() {
  const [absences, dispatch] = useReducer(reduce, []);
  const [me, setMe] = useState<Person>();
  const [problem, setProblem] = useState<string>();
  const [arrived, setArrived] = useState<string>();
  const changes = useRef(0);

  const apply = useCallback((change: Change) => {
    changes.current += 1;
    dispatch(change);
  }, []);

  const load = useCallback(async () => {
    try {
      for (;;) {
        const before = changes.current;
        const loaded = await invoke<Loaded>('absences.list');
        // A change that came in meanwhile may be missing from this answer: ask again.
        if (changes.current !== before) continue;
        setMe(loaded.me);
        dispatch({ type: 'loaded', absences: loaded.absences });
        return;
      }
    } catch (error) {
      setProblem(messageOf(error));
    }
  }, []);

  useEffect(() => {
    const subscription = realtime.subscribe<Change>(
      ABSENCES,
      (change, error) => {
        // Something was missed or could not be read: what is stored is the truth.
        if (error || typeof change === 'string') return void load();
        apply(change);
        if (change.type === 'added') setArrived(change.absence.id);
      },
      ON_THIS_DASHBOARD,
    );
    void load();
    // Once more, for what changed between the first load and this moment. Without a relay the list stays as it was loaded.
    subscription.then(load, (error) => setProblem(messageOf(error)));
    return () => void subscription.then(({ unsubscribe }) => unsubscribe()).catch(() => {});
  }, [apply, load]);

  const attempt = useCallback(async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    setProblem(undefined);
    try {
      return await work();
    } catch (error) {
      setProblem(messageOf(error));
      return undefined;
    }
  }, []);

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

  return { me, absences, problem, arrived, add, remove };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
