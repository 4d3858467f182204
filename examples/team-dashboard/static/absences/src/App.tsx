// The gadget: header, form, list and footer.
import { useState } from 'react';
import { AbsenceForm } from './AbsenceForm';
import { AbsenceList } from './AbsenceList';
import { AddingHint } from './AddingHint';
import { Footer } from './Footer';
import { isAway } from './days';
import { useAbsences } from './useAbsences';
import { usePresence } from './usePresence';

export function App() {
  const { me, absences, problem, arrived, add, remove } = useAbsences();
  const { adding, announce } = usePresence(me);
  const [open, setOpen] = useState(false);
  const away = new Set(absences.filter(({ from, to }) => isAway(from, to)).map(({ accountId }) => accountId))
    .size;

  const close = () => {
    setOpen(false);
    announce(false);
  };

  return (
    <main className="gadget" data-ready={me ? '' : undefined}>
      <header className="header">
        <div>
          <h1>Team absences</h1>
          <p className="subtle" role="status">
            {adding.length > 0 ? <AddingHint names={adding} /> : summary(absences.length, away)}
          </p>
        </div>
        {!open && (
          <button className="button primary" disabled={!me} onClick={() => setOpen(true)}>
            Add absence
          </button>
        )}
      </header>

      {open && (
        <AbsenceForm
          onTouch={() => announce(true)}
          onCancel={close}
          onSubmit={async (absence) => {
            if (await add(absence)) close();
          }}
        />
      )}

      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}

      <AbsenceList absences={absences} me={me} arrived={arrived} onRemove={remove} />
      <Footer />
    </main>
  );
}

function summary(planned: number, away: number): string {
  if (planned === 0) return 'Everybody is here';
  return `${away === 0 ? 'Nobody' : away} away today · ${planned} planned`;
}
