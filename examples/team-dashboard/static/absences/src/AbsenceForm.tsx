import { useState } from 'react';
import type { Kind } from '../../../src/absences';
import { plusDays, today } from './days';
import { KINDS } from './kinds';
import type { NewAbsence } from './useAbsences';

type Props = {
  /** Called whenever the user touches the form. */
  onTouch(): void;
  onCancel(): void;
  onSubmit(absence: NewAbsence): Promise<void>;
};

export function AbsenceForm({ onTouch, onCancel, onSubmit }: Props) {
  const [kind, setKind] = useState<Kind>('vacation');
  const [from, setFrom] = useState(today);
  const [to, setTo] = useState(() => plusDays(today(), 4));
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);

  return (
    <form
      className="form"
      onFocus={onTouch}
      onInput={onTouch}
      onSubmit={async (event) => {
        event.preventDefault();
        setBusy(true);
        await onSubmit({ kind, from, to, note });
        setBusy(false);
      }}
    >
      <fieldset className="kinds">
        <legend>What for?</legend>
        {[...KINDS].map(([value, label]) => (
          <label key={value} className="kind">
            <input
              type="radio"
              name="kind"
              value={value}
              checked={kind === value}
              onChange={() => setKind(value as Kind)}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <div className="fields">
        <label className="field">
          First day
          <input
            type="date"
            name="from"
            required
            value={from}
            onChange={({ target }) => {
              setFrom(target.value);
              if (to < target.value) setTo(target.value);
            }}
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
            onChange={({ target }) => setTo(target.value)}
          />
        </label>
      </div>
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
          onChange={({ target }) => setNote(target.value)}
        />
      </label>
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
