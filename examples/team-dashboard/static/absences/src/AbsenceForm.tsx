// The form for a new absence.
import { type Dispatch, useState } from 'react';
import type { Kind } from '../../../src/absences';
import { plusDays } from '../../../src/days';
import { KINDS } from './kinds';
import type { NewAbsence } from './useAbsenceChanges';

type Props = {
  today: string;
  /** Called whenever the user touches the form. */
  onTouch(): void;
  onCancel(): void;
  onSubmit(absence: NewAbsence): Promise<void>;
};

/** Changes some fields of the absence. */
type Change = Dispatch<Partial<NewAbsence>>;
type FieldsProps = { absence: NewAbsence; change: Change };

const DEFAULT_DAYS = 4;

const initialAbsence = (today: string): NewAbsence => ({
  kind: 'vacation',
  from: today,
  to: plusDays(today, DEFAULT_DAYS),
  note: '',
});

export function AbsenceForm({ today, onTouch, onCancel, onSubmit }: Props) {
  const [absence, setAbsence] = useState(() => initialAbsence(today));
  const [busy, setBusy] = useState(false);
  const change: Change = (fields) => setAbsence((current) => ({ ...current, ...fields }));

  return (
    <form
      className="form"
      onFocus={onTouch}
      onInput={onTouch}
      onSubmit={async (event) => {
        event.preventDefault();
        setBusy(true);
        await onSubmit(absence);
        setBusy(false);
      }}
    >
      <KindField absence={absence} change={change} />
      <DayFields absence={absence} change={change} />
      <NoteField absence={absence} change={change} />
      <div className="actions">
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="button primary" disabled={busy}>
          {busy ? 'Adding…' : 'Add'}
        </button>
      </div>
    </form>
  );
}

function KindField({ absence, change }: FieldsProps) {
  return (
    <fieldset className="kinds">
      <legend>Reason</legend>
      {[...KINDS].map(([value, label]) => (
        <label key={value} className="kind">
          <input
            type="radio"
            name="kind"
            value={value}
            checked={absence.kind === value}
            onChange={() => change({ kind: value as Kind })}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

function DayFields({ absence: { from, to }, change }: FieldsProps) {
  return (
    <div className="fields">
      <label className="field">
        First day
        <input
          type="date"
          name="from"
          required
          value={from}
          onChange={({ target: { value } }) => change({ from: value, ...(to < value && { to: value }) })}
        />
      </label>
      <label className="field">
        Last day
        <input
          type="date"
          name="to"
          required
          min={from}
          value={to}
          onChange={({ target: { value } }) => change({ to: value })}
        />
      </label>
    </div>
  );
}

function NoteField({ absence: { note }, change }: FieldsProps) {
  return (
    <label className="field">
      Note <span className="subtle">(optional)</span>
      <input
        type="text"
        name="note"
        maxLength={200}
        autoFocus
        autoComplete="off"
        placeholder="Who stands in for you?"
        value={note}
        onChange={({ target: { value } }) => change({ note: value })}
      />
    </label>
  );
}
