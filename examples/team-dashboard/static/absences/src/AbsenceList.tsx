import type { Absence, Person } from '../../../src/absences';
import { isAway, spanText, whenText } from './days';
import { KINDS } from './kinds';

type Props = {
  absences: Absence[];
  me: Person | undefined;
  /** The id of the newest absence, which glows for a moment. */
  arrived: string | undefined;
  onRemove(id: string): void;
};

export function AbsenceList({ absences, me, arrived, onRemove }: Props) {
  if (me && absences.length === 0) {
    return <p className="empty">No absences on this dashboard yet.</p>;
  }
  return (
    <ul className="absences" aria-label="Absences">
      {absences.map((absence) => (
        <li
          key={absence.id}
          className={absence.id === arrived ? 'absence arrived' : 'absence'}
          data-testid="absence"
        >
          <span className={`avatar hue-${hueOf(absence.accountId)}`} aria-hidden="true">
            {initials(absence.name)}
          </span>
          <div className="about">
            <p className="who">
              <strong>{absence.name}</strong>
              <span className={`chip ${absence.kind}`}>{KINDS.get(absence.kind)}</span>
            </p>
            <p className="when">
              {spanText(absence.from, absence.to)}
              <span className={isAway(absence.from, absence.to) ? 'relative away' : 'relative'}>
                {whenText(absence.from, absence.to)}
              </span>
            </p>
            {absence.note && <p className="note">{absence.note}</p>}
          </div>
          {absence.accountId === me?.accountId && (
            <button
              className="remove"
              aria-label={`Remove your absence ${spanText(absence.from, absence.to)}`}
              title="Remove"
              onClick={() => onRemove(absence.id)}
            >
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d="M4 4l8 8M12 4l-8 8" />
              </svg>
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

const initials = (name: string) =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word[0]?.toUpperCase())
    .join('');

/** Returns one of six avatar colours, which is always the same for a person. */
const hueOf = (accountId: string) =>
  [...accountId].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
