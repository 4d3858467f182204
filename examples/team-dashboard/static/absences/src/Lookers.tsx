// The avatars of the people who look at this dashboard.
import type { Person } from '../../../src/people';
import { Avatar } from '../../common/Avatar';

/** The number of avatars for which the narrowest gadget has room. */
const MAX_AVATARS = 4;

export function Lookers({ people }: { people: Person[] }) {
  const shown = people.length > MAX_AVATARS ? people.slice(0, MAX_AVATARS - 1) : people;
  const others = people.slice(shown.length).map(({ name }) => name);
  return (
    <ul className="lookers" aria-label="Looking at this dashboard" data-testid="lookers">
      {shown.map((person) => (
        <li key={person.accountId} title={person.name} aria-label={person.name}>
          <Avatar person={person} />
        </li>
      ))}
      {others.length > 0 && (
        <li className="more" title={others.join('\n')} aria-label={others.join(', ')}>
          +{others.length}
        </li>
      )}
    </ul>
  );
}
