// The list of absences: loaded through the resolver, then kept up to date through Sealwire.
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
  const [problem, setProblem] = useState<string>();
  const { me, absences, apply, load } = useStoredAbsences(setProblem);
  const arrived = useChanges(apply, load, setProblem);

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

/** The list as it is stored, with the changes that were applied since it was loaded. */
function useStoredAbsences(onProblem: (message: string) => void) {
  const [absences, dispatch] = useReducer(reduce, []);
  const [me, setMe] = useState<Person>();
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
        // The answer may lack a change that arrived meanwhile, so the list is loaded again.
        if (changes.current !== before) continue;
        setMe(loaded.me);
        dispatch({ type: 'loaded', absences: loaded.absences });
        return;
      }
    } catch (error) {
      onProblem(messageOf(error));
    }
  }, [onProblem]);

  return { me, absences, apply, load };
}

/** Applies the changes that other users make. Returns the id of the newest absence. */
function useChanges(
  apply: (change: Change) => void,
  load: () => Promise<void>,
  onProblem: (message: string) => void,
) {
  const [arrived, setArrived] = useState<string>();

  useEffect(() => {
    const subscription = realtime.subscribe<Change>(
      ABSENCES,
      (change, error) => {
        // After a gap or an unreadable message, only the storage knows the list.
        if (error || typeof change === 'string') return void load();
        apply(change);
        if (change.type === 'added') setArrived(change.absence.id);
      },
      ON_THIS_DASHBOARD,
    );
    void load();
    // The second load includes changes between the first load and the confirmation of the subscription. Without a relay the
    // list stays as it was loaded.
    subscription.then(load, (error) => onProblem(messageOf(error)));
    return () => void subscription.then(({ unsubscribe }) => unsubscribe()).catch(() => {});
  }, [apply, load, onProblem]);

  return arrived;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
