// The next seven days. A click on a colleague's day offers to swap it for one's own next day.
import { useState } from 'react';
import { dayText } from '../../../src/days';
import type { Person } from '../../../src/people';
import { Avatar, firstName } from '../../common/Avatar';
import { shortDayText, weekdayText } from '../../common/dates';
import type { Duties } from './Duty';

const DAYS_SHOWN = 7;

export type Swap = { day: string; otherDay: string; other: string };
type Duty = Duties[number];

type Props = {
  duties: Duties;
  me: Person;
  isMember: boolean;
  onSwap(swap: Swap): Promise<void>;
  onLeave(): void;
};

export function Plan({ duties, me, isMember, onSwap, onLeave }: Props) {
  const [chosen, setChosen] = useState<string>();
  const isMine = ({ person }: Duty) => person?.accountId === me.accountId;
  const own = duties.find(isMine);
  const canSwap = (duty: Duty) => own !== undefined && duty.person !== undefined && !isMine(duty);
  const other = duties.find((duty) => duty.day === chosen && canSwap(duty));

  return (
    <section className="plan" aria-label="Plan">
      <ol className="days">
        {duties.slice(0, DAYS_SHOWN).map((duty, index) => (
          <Day
            key={duty.day}
            duty={duty}
            today={duties.at(0)?.day ?? duty.day}
            isToday={index === 0}
            isMine={isMine(duty)}
            isChosen={duty === other}
            onChoose={canSwap(duty) ? () => setChosen(duty === other ? undefined : duty.day) : undefined}
          />
        ))}
      </ol>
      {other?.person && own ? (
        <Offer
          own={own}
          other={{ day: other.day, person: other.person }}
          onSwap={onSwap}
          onClose={() => setChosen(undefined)}
        />
      ) : (
        isMember && (
          <p className="bar subtle">
            {own && duties.some(canSwap)
              ? 'Choose a colleague’s day to swap it for yours.'
              : 'Nobody to swap with.'}
            <button className="link" onClick={onLeave}>
              Leave
            </button>
          </p>
        )
      )}
    </section>
  );
}

type DayProps = {
  duty: Duty;
  today: string;
  isToday: boolean;
  isMine: boolean;
  isChosen: boolean;
  onChoose: (() => void) | undefined;
};

function Day({ duty: { day, person, planned }, today, isToday, isMine, isChosen, onChoose }: DayProps) {
  const name = person ? firstName(person) : 'Nobody';
  const standIn = planned && planned !== person ? `, because ${firstName(planned)} is away` : '';
  const shown = (
    <>
      <span className="weekday">{weekdayText(day, today)}</span>
      {person ? <Avatar person={person} /> : <span className="avatar nobody" aria-hidden="true" />}
      <span className="name">{name}</span>
    </>
  );
  const marks = [isToday && 'today', isMine && 'mine', standIn && 'stands-in'].filter(Boolean).join(' ');
  return (
    <li className={marks} title={`${dayText(day)}: ${name}${standIn}`} data-testid="day">
      {onChoose ? (
        <button
          type="button"
          aria-pressed={isChosen}
          aria-label={`Swap ${dayText(day)} of ${name}`}
          onClick={onChoose}
        >
          {shown}
        </button>
      ) : (
        <div>{shown}</div>
      )}
    </li>
  );
}

type OfferProps = {
  own: { day: string };
  other: { day: string; person: Person };
  onSwap(swap: Swap): Promise<void>;
  onClose(): void;
};

function Offer({ own, other: { day, person }, onSwap, onClose }: OfferProps) {
  const [busy, setBusy] = useState(false);
  return (
    <div className="bar offer">
      <p>
        Your <strong>{shortDayText(own.day)}</strong> for {firstName(person)}’s{' '}
        <strong>{shortDayText(day)}</strong>?
      </p>
      <button className="button" onClick={onClose}>
        Cancel
      </button>
      <button
        className="button primary"
        disabled={busy}
        onClick={async () => {
          setBusy(true);
          await onSwap({ day: own.day, otherDay: day, other: person.accountId });
          onClose();
        }}
      >
        Swap
      </button>
    </div>
  );
}
