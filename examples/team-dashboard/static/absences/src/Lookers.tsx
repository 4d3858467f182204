// The avatars of the people who look at this dashboard.
import type { Person } from '../../../src/people';
import { Avatar } from '../../common/Avatar';

export function Lookers({ people }: { people: Person[] }) {
  return (
    <ul className="lookers" aria-label="Looking at this dashboard" data-testid="lookers">
      {people.map((person) => (
        <li key={person.accountId} title={person.name} aria-label={person.name}>
          <Avatar person={person} />
        </li>
      ))}
    </ul>
  );
}
