// The day of the dashboard, which changes at midnight while the gadget is open.
import { useEffect, useState } from 'react';
import { dayIn } from '../../src/days';

/** The interval of the checks. A timer until midnight would be late after the computer slept. */
const CHECK_MS = 15_000;

/**
 * Returns the day in the time zone of the dashboard's rotation, or in that of the browser if the dashboard has no rotation.
 */
export function useToday(timeZone: string | undefined): string {
  const zone = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const today = dayIn(zone, Date.now());
  const [, setShown] = useState(today);
  useEffect(() => {
    const check = () => setShown(dayIn(zone, Date.now()));
    const timer = setInterval(check, CHECK_MS);
    document.addEventListener('visibilitychange', check);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', check);
    };
  }, [zone]);
  return today;
}
