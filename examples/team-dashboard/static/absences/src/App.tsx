// The gadget: header, form, hint, list, and a line that says how the changes travel.
import { useState } from 'react';
import { AbsenceForm } from './AbsenceForm';
import { AbsenceList } from './AbsenceList';
import { Footer } from './Footer';
import { isAway } from './days';
import { useAbsences } from './useAbsences';
import { usePresence } from './usePresence';

export function App() {
  const { me, absences, problem, arrived, add, remove } = useAbsences();
  const { adding, tell } = usePresence(me);
  const [open, setOpen] = useState(false);
  const away = absences.filter(({ from, to }) => isAway(from, to)).length;

  const close = () => {
    setOpen(false);
    tell(false);
  };

  return (
    <main className="gadget" data-ready={me ? '' : undefined}>
      <header className="header">
        <div>
          <h1>Team absences</h1>
          <p className="subtle">{summary(absences.length, away)}</p>
        </div>
        {!open && (
          <button className="button primary" disabled={!me} onClick={() => setOpen(true)}>
            Add absence
          </button>
        )}
      </header>

      {open && (
        <AbsenceForm
          onTouch={() => tell(true)}
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

      <p className="hint" role="status" data-testid="hint">
        {adding.length > 0 && (
          <>
            <span className="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            {adding.join(' and ')} {adding.length > 1 ? 'are' : 'is'} adding an absence…
          </>
        )}
      </p>

      <AbsenceList absences={absences} me={me} arrived={arrived} onRemove={remove} />
      <Footer />
    </main>
  );
}

function summary(planned: number, away: number): string {
  if (planned === 0) return 'Everybody is here';
  return `${away === 0 ? 'Nobody' : away} away today · ${planned} planned`;
}
