// The gadget: the person on duty, the plan, the log and the footer.
import { useState } from 'react';
import type { Absence } from '../../../src/absences';
import { dayText } from '../../../src/days';
import type { Person } from '../../../src/people';
import { dutyOn, isAway, memberOf, plan, type Rotation } from '../../../src/rotation/schedule';
import { Footer } from '../../common/Footer';
import { Problem } from '../../common/Problem';
import { useAbsences } from '../../common/useAbsences';
import { useProblem } from '../../common/useProblem';
import { useToday } from '../../common/useToday';
import { Duty } from './Duty';
import { Log } from './Log';
import { Plan } from './Plan';
import { useRotationChanges } from './useRotationChanges';

type Change = ReturnType<typeof useRotationChanges>['change'];
type Shown = { rotation: Rotation; absences: Absence[]; me: Person; today: string; change: Change };

export function App() {
  const problems = useProblem();
  const { me, absences } = useAbsences(problems.report);
  const { rotation, change } = useRotationChanges(problems);
  const today = useToday(rotation?.turn && rotation.timeZone);
  const shown = me && rotation && { me, rotation, absences, today, change };

  return (
    <main className="gadget" data-ready={shown ? '' : undefined} data-version={rotation?.version}>
      <header className="header">
        <div>
          <h1>Rotation</h1>
          <p className="subtle" role="status">
            {rotation?.turn ? `${dayText(today)}, in ${rotation.timeZone}` : 'One person a day has the duty'}
          </p>
        </div>
        {shown && <MainButton {...shown} />}
      </header>
      <Problem text={problems.problem} />
      {shown && <Content {...shown} />}
      <Footer />
    </main>
  );
}

/** Takes over, if this user can, or joins. */
function MainButton({ rotation, absences, me, today, change }: Shown) {
  const [busy, setBusy] = useState(false);
  const press = async (name: 'join' | 'takeOver', seen?: Record<string, unknown>) => {
    setBusy(true);
    await change(name, seen);
    setBusy(false);
  };
  if (!memberOf(rotation, me.accountId)) {
    return (
      <button className="button primary" disabled={busy} onClick={() => press('join')}>
        Join
      </button>
    );
  }
  const { person } = dutyOn(rotation, absences, today);
  if (person?.accountId === me.accountId) return <span className="badge">You are on duty</span>;
  if (isAway(absences, me.accountId, today)) return <span className="badge quiet">You are away</span>;
  return (
    <button
      className="button primary"
      disabled={busy}
      onClick={() => press('takeOver', { day: today, from: person?.accountId ?? null })}
    >
      I take over
    </button>
  );
}

function Content({ rotation, absences, me, today, change }: Shown) {
  if (!rotation.turn) return <p className="empty">Nobody is in the rotation yet. Join it to start it.</p>;
  const duties = plan(rotation, absences, today);
  const isMember = memberOf(rotation, me.accountId) !== undefined;
  return (
    <>
      <Duty duties={duties} />
      <Plan
        duties={duties}
        me={me}
        isMember={isMember}
        onSwap={(swap) => change('swap', swap)}
        onLeave={() => change('leave')}
      />
      <Log rotation={rotation} today={today} />
    </>
  );
}
