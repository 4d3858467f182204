// A state that the resolver stores and whose changes it announces on a channel: loaded through the resolver, then kept up to
// date through Sealwire.
import { useCallback, useEffect, useReducer, useRef } from 'react';
import { ON_THIS_DASHBOARD, realtime } from './realtime';
import { messageOf } from './useProblem';

/** The origin of a state. It must be the same object at each rendering. */
type Source<State, Change> = {
  channel: string;
  load(): Promise<State>;
  /** Returns the state after a change that the resolver announced. */
  reduce(state: State, change: Change): State;
};

type Action<State, Change> = { loaded: State } | { change: Change };

/** Returns the state, which is undefined until it is loaded, and a function that applies a change of this user. */
export function useStored<State, Change extends object>(
  source: Source<State, Change>,
  onProblem: (message: string) => void,
  onArrival?: (change: Change) => void,
) {
  const [state, dispatch] = useReducer((before: State | undefined, action: Action<State, Change>) => {
    if ('loaded' in action) return action.loaded;
    return before === undefined ? before : source.reduce(before, action.change);
  }, undefined);
  const changes = useRef(0);
  const arrival = useRef(onArrival);
  arrival.current = onArrival;

  const apply = useCallback((change: Change) => {
    changes.current += 1;
    dispatch({ change });
  }, []);

  useEffect(() => {
    const load = async () => {
      try {
        for (;;) {
          const before = changes.current;
          const loaded = await source.load();
          // The answer may lack a change that arrived meanwhile, so the state is loaded again.
          if (changes.current !== before) continue;
          return dispatch({ loaded });
        }
      } catch (error) {
        onProblem(messageOf(error));
      }
    };
    const subscription = realtime.subscribe<Change>(
      source.channel,
      (change, error) => {
        // After a gap or an unreadable message, only the storage knows the state.
        if (error || typeof change === 'string') return void load();
        apply(change);
        arrival.current?.(change);
      },
      ON_THIS_DASHBOARD,
    );
    void load();
    // The second load includes changes between the first load and the confirmation of the subscription. Without a relay the
    // state stays as it was loaded.
    subscription.then(load, (error) => onProblem(messageOf(error)));
    return () => void subscription.then(({ unsubscribe }) => unsubscribe()).catch(() => {});
  }, [source, apply, onProblem]);

  return { state, apply };
}
