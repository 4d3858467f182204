// The person on duty today, and the next one.
import { plusDays } from '../../../src/days';
import type { plan } from '../../../src/rotation/schedule';
import { Avatar, firstName } from '../../common/Avatar';
import { weekdayText } from '../../common/dates';

export type Duties = ReturnType<typeof plan>;

export function Duty({ duties }: { duties: Duties }) {
  const [now, ...later] = duties;
  if (!now) return null;
  const { day: today, person, planned } = now;
  const next = later.find((duty) => duty.person && duty.person !== person);
  return (
    <section className="duty" aria-label="Duty">
      <div className="now" data-testid="on-duty">
        {person ? <Avatar person={person} /> : <span className="avatar nobody" aria-hidden="true" />}
        <div>
          <p className="label">On duty today</p>
          <p className="name">{person?.name ?? 'Nobody'}</p>
          {planned && planned !== person && (
            <p className="reason">
              {person ? `Stands in for ${firstName(planned)}, who is away` : 'Everybody is away'}
            </p>
          )}
        </div>
      </div>
      {next?.person && (
        <div className="next" data-testid="next">
          <p className="label">Next</p>
          <p className="name">{firstName(next.person)}</p>
          <p className="reason">
            {next.day === plusDays(today, 1) ? 'tomorrow' : weekdayText(next.day, today)}
          </p>
        </div>
      )}
    </section>
  );
}
