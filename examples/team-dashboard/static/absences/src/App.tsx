// The gadget: header, form, list and footer.
import { useState } from 'react';
import { covers } from '../../../src/days';
import { dutyOn, type Rotation } from '../../../src/rotation/schedule';
import type { Absence } from '../../../src/absences';
import { Footer } from '../../common/Footer';
import { Problem } from '../../common/Problem';
import { useProblem } from '../../common/useProblem';
import { useRotation } from '../../common/useRotation';
import { useToday } from '../../common/useToday';
import { AbsenceForm } from './AbsenceForm';
import { AbsenceList, type StandIn } from './AbsenceList';
import { AddingHint } from './AddingHint';
import { Lookers } from './Lookers';
import { useAbsenceChanges } from './useAbsenceChanges';
import { useLookers } from './useLookers';
import { useAddingHints } from './useAddingHints';

export function App() {
  const problems = useProblem();
  const { me, absences, arrived, add, remove } = useAbsenceChanges(problems);
  const { rotation } = useRotation(problems.report);
  const { adding, announce } = useAddingHints(me);
  const lookers = useLookers(me);
  const [open, setOpen] = useState(false);
  const today = useToday(rotation?.turn && rotation.timeZone);
  const away = new Set(absences.filter((one) => covers(one, today)).map(({ accountId }) => accountId)).size;

  const close = () => {
    setOpen(false);
    announce(false);
  };

  return (
    <main className="gadget" data-ready={me && rotation ? '' : undefined}>
      <header className="header">
        <div>
          <h1>Team absences</h1>
          <p className="subtle" role="status">
            {adding.length > 0 ? <AddingHint names={adding} /> : summary(absences.length, away)}
          </p>
        </div>
        <Lookers people={lookers} />
        {!open && (
          <button className="button primary" disabled={!me} onClick={() => setOpen(true)}>
            Add absence
          </button>
        )}
      </header>

      {open && (
        <AbsenceForm
          today={today}
          onTouch={() => announce(true)}
          onCancel={close}
          onSubmit={async (absence) => {
            if (await add(absence)) close();
          }}
        />
      )}

      <Problem text={problems.problem} />

      {(absences.length > 0 || !open) && (
        <AbsenceList
          absences={absences}
          me={me}
          today={today}
          standIn={rotation && standInOn(rotation, absences, today)}
          arrived={arrived}
          onRemove={remove}
        />
      )}
      <Footer />
    </main>
  );
}

function standInOn(rotation: Rotation, absences: Absence[], today: string): StandIn | undefined {
  const { planned, person } = dutyOn(rotation, absences, today);
  return planned && planned !== person ? { absent: planned, person } : undefined;
}

function summary(planned: number, away: number): string {
  if (planned === 0) return 'Everybody is here';
  return `${away === 0 ? 'Nobody' : away} away today · ${planned} planned`;
}
