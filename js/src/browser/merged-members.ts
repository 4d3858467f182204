// Merges the pages of one account to one member.

import type { PresenceMember } from './presence-types.js';

export type Member = PresenceMember;

/** Returns one member for each account, verified or claimed, in the order in which its first page entered. */
export function merged(members: readonly Member[]): Member[] {
  const first = new Map<string, Member>();
  for (const member of members) {
    const { accountId, claimedAccountId, id } = member;
    const key = JSON.stringify([accountId, claimedAccountId, claimedAccountId === undefined && id]);
    const { inGrace, isSelf, connections, ...rest } = first.get(key) ?? { ...member, connections: 0 };
    first.set(key, {
      ...rest,
      inGrace: inGrace && member.inGrace,
      isSelf: isSelf || member.isSelf,
      connections: connections + 1,
    });
  }
  return [...first.values()];
}
