// The history of the week: the changes, and the persons on duty on the days that are over, newest first.
import { dayIn } from '../../../src/days';
import type { Person } from '../../../src/people';
import type { LogChange, Rotation } from '../../../src/rotation/schedule';
import { firstName } from '../../common/Avatar';
import { shortDayText, timeText } from '../../common/dates';

type Line = { key: string; day: string; when: string; text: string };

export function Log({ rotation, today }: { rotation: Rotation; today: string }) {
  const lines = [...changesOf(rotation), ...pastDaysOf(rotation, today)];
  lines.sort((a, b) => b.day.localeCompare(a.day));
  return (
    <section className="log" aria-labelledby="log-title">
      <h2 id="log-title">Last seven days</h2>
      <ol tabIndex={0} aria-labelledby="log-title">
        {lines.map(({ key, when, text }) => (
          <li key={key} data-testid="log">
            <span>{text}</span>
            <time>{when}</time>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Returns a line for each change, newest first. */
function changesOf({ log, timeZone }: Rotation): Line[] {
  return log.map(({ at, change }, index) => ({
    key: `${at} ${log.length - index}`,
    day: dayIn(timeZone, at),
    when: timeText(at, timeZone),
    text: textOf(change),
  }));
}

function pastDaysOf({ history }: Rotation, today: string): Line[] {
  return history
    .filter(({ day }) => day < today)
    .map(({ day, person }) => ({
      key: day,
      day,
      when: shortDayText(day),
      text: `${nameOf(person)} had the duty`,
    }));
}

function textOf(change: LogChange): string {
  const name = nameOf(change.person);
  switch (change.type) {
    case 'joined':
      return `${name} joined`;
    case 'left':
      return `${name} left`;
    case 'tookOver':
      return change.from ? `${name} took over from ${nameOf(change.from)}` : `${name} took over`;
    case 'swapped': {
      const days = `${shortDayText(change.day)} and ${shortDayText(change.otherDay)}`;
      return `${name} and ${nameOf(change.other)} swapped ${days}`;
    }
    case 'stoodIn':
      return `${name} stands in for ${nameOf(change.from)}, who is away`;
    case 'returned':
      return change.from ? `${name} is back, and relieves ${nameOf(change.from)}` : `${name} is back`;
  }
}

const nameOf = (person: Person | null) => (person ? firstName(person) : 'Nobody');
