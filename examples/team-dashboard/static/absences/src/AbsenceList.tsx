// The list of absences.
import type { Absence } from '../../../src/absences';
import { covers } from '../../../src/days';
import type { Person } from '../../../src/people';
import { Avatar, firstName } from '../../common/Avatar';
import { spanText, whenText } from '../../common/dates';
import { KINDS } from './kinds';

/** The person who has the duty of today and is away, and the person who stands in, if anybody does. */
export type StandIn = { absent: Person; person: Person | undefined };

type Props = {
  absences: Absence[];
  me: Person | undefined;
  today: string;
  standIn: StandIn | undefined;
  /** The id of the newest absence, which glows for a moment. */
  arrived: string | undefined;
  onRemove(id: string): void;
};

export function AbsenceList({ absences, me, today, standIn, arrived, onRemove }: Props) {
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
          <Avatar person={absence} />
          <About absence={absence} today={today} standIn={standIn} />
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

function About({ absence, today, standIn }: { absence: Absence } & Pick<Props, 'today' | 'standIn'>) {
  const { name, accountId, kind, from, to, note } = absence;
  const isAway = covers(absence, today);
  return (
    <div className="about">
      <p className="who">
        <strong>{name}</strong>
        <span className={`chip ${kind}`}>{KINDS.get(kind)}</span>
      </p>
      <p className="when">
        {spanText(from, to)}
        <span className={isAway ? 'relative away' : 'relative'}>{whenText(from, to, today)}</span>
      </p>
      {isAway && standIn?.absent.accountId === accountId && (
        <p className="duty" data-testid="stand-in">
          {standIn.person ? firstName(standIn.person) : 'Nobody'} has the duty today
        </p>
      )}
      {note && <p className="note">{note}</p>}
    </div>
  );
}
