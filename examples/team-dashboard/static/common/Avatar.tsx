// The initials of a person in a coloured circle.
import type { Person } from '../../src/people';

export function Avatar({ person: { accountId, name } }: { person: Person }) {
  return (
    <span className={`avatar hue-${hueOf(accountId)}`} aria-hidden="true">
      {initials(name)}
    </span>
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

export const firstName = (person: Person) => person.name.split(/\s+/, 1).join('');
