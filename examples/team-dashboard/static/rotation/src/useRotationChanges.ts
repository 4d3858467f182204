// The rotation, with the user's changes of it. The resolver decides each change, and answers with the rotation that it stored;
// if it refuses, with the reason.
import { useCallback } from 'react';
import type { Rotation } from '../../../src/rotation/schedule';
import { invoke } from '../../common/invoke';
import type { useProblem } from '../../common/useProblem';
import { useRotation } from '../../common/useRotation';

type Answer = { rotation: Rotation; refused?: string };

export function useRotationChanges({ report, attempt }: ReturnType<typeof useProblem>) {
  const { rotation, apply } = useRotation(report);

  const change = useCallback(
    (name: 'join' | 'leave' | 'takeOver' | 'swap', seen?: Record<string, unknown>) =>
      attempt(async () => {
        const answer = await invoke<Answer>(`rotation.${name}`, seen);
        apply(answer.rotation);
        if (answer.refused) report(answer.refused);
      }),
    [apply, attempt, report],
  );

  return { rotation, change };
}
