// The message about the last call that failed.
import { useCallback, useMemo, useState } from 'react';

export function useProblem() {
  const [problem, report] = useState<string>();
  const attempt = useCallback(async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    report(undefined);
    try {
      return await work();
    } catch (error) {
      report(messageOf(error));
      return undefined;
    }
  }, []);
  return useMemo(() => ({ problem, report, attempt }), [problem, attempt]);
}

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
