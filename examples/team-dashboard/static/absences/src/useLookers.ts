// The people who look at this dashboard. A relay without presence, such as an earlier version, leaves the list empty.
import { useEffect, useState } from 'react';
import type { Presence, PresenceMember } from 'sealwire';
import type { Person } from '../../../src/people';
import { LOOKERS, ON_THIS_DASHBOARD, realtime } from '../../common/realtime';

/** The pages of one account are one person here. */
const OPTIONS = { ...ON_THIS_DASHBOARD, tabs: 'merged' } as const;

export function useLookers(me: Person | undefined): Person[] {
  const [members, setMembers] = useState<readonly PresenceMember[]>([]);
  const [accountId, name] = [me?.accountId, me?.name];

  useEffect(() => {
    if (!accountId) return;
    let presence: Presence | undefined;
    let isOver = false;
    const open = async () => {
      presence = await realtime.presence(LOOKERS, OPTIONS);
      if (isOver) return presence.close();
      presence.onChange(setMembers);
      setMembers(presence.members);
      await presence.enter({ name });
    };
    // The gadget works without the avatars.
    open().catch(() => {});
    return () => {
      isOver = true;
      presence?.close().catch(() => {});
    };
  }, [accountId, name]);

  return members.filter(isNamed).map(({ id, claimedAccountId, data }) => ({
    accountId: claimedAccountId ?? id,
    name: data.name,
  }));
}

/** Other pages write the data, which may have any shape. */
const isNamed = ({ data }: PresenceMember) => typeof data?.name === 'string' && data.name !== '';
