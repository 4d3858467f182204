// The hint "Anna is adding an absence". Browsers publish it directly, so it is only a claim of its sender and affects nothing
// but this line of text.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Person } from '../../../src/people';
import { ON_THIS_DASHBOARD, HINTS, realtime } from '../../common/realtime';

type Hint = { accountId: string; name: string; adding: boolean };

/** The interval at which a hint is repeated while the user is adding. */
const REPEAT_MS = 2_000;
/** The time after which a hint expires unless it is repeated. */
const EXPIRY_MS = 5_000;

export function useAddingHints(me: Person | undefined) {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const lastSent = useRef({ adding: false, at: 0 });
  const myAccount = me?.accountId;

  useEffect(() => {
    if (!myAccount) return;
    const timers = new Map<string, ReturnType<typeof setTimeout>>();
    const forget = (accountId: string) =>
      setNames((current) => new Map([...current].filter(([id]) => id !== accountId)));

    const subscription = realtime.subscribe<Hint>(
      HINTS,
      (hint) => {
        if (!hint || typeof hint === 'string' || hint.accountId === myAccount) return;
        clearTimeout(timers.get(hint.accountId));
        if (!hint.adding) return forget(hint.accountId);
        setNames((current) => new Map(current).set(hint.accountId, hint.name));
        timers.set(
          hint.accountId,
          setTimeout(() => forget(hint.accountId), EXPIRY_MS),
        );
      },
      ON_THIS_DASHBOARD,
    );
    // The gadget works without hints.
    subscription.catch(() => {});
    return () => {
      timers.forEach(clearTimeout);
      void subscription.then(({ unsubscribe }) => unsubscribe()).catch(() => {});
    };
  }, [myAccount]);

  const announce = useCallback(
    (adding: boolean) => {
      if (!me) return;
      const { adding: before, at } = lastSent.current;
      if (before === adding && (!adding || Date.now() - at < REPEAT_MS)) return;
      lastSent.current = { adding, at: Date.now() };
      const hint: Hint = { ...me, adding };
      void realtime.publish(HINTS, hint, ON_THIS_DASHBOARD).catch(() => {});
    },
    [me],
  );

  return { adding: [...names.values()], announce };
}
