// The rotation of this dashboard. The Absences gadget uses it too, to show stand-ins.
import type { Rotation } from '../../src/rotation/schedule';
import { invoke } from './invoke';
import { ROTATION } from './realtime';
import { useStored } from './useStored';

const STORED = {
  channel: ROTATION,
  load: async () => (await invoke<{ rotation: Rotation }>('rotation.get')).rotation,
  // An announcement has the whole rotation. Two of them may arrive in another order than that of their storage.
  reduce: (before: Rotation, after: Rotation) => (after.version > before.version ? after : before),
};

export function useRotation(onProblem: (message: string) => void) {
  const { state, apply } = useStored<Rotation, Rotation>(STORED, onProblem);
  return { rotation: state, apply };
}
