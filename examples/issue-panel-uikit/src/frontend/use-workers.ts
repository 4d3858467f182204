// The accounts that work on the issue: loaded once, then kept up to date by the channel.
import { useEffect, useRef, useState } from 'react';
import { invoke } from '@forge/bridge';
import type { Channels } from '../channels';
import { AT_THIS_ISSUE, useChannel } from './realtime';

type Change = Channels['work'];

/** Returns the accounts, and calls `failed` with the error of a call or of the subscription. */
export function useWorkers(failed: (error: unknown) => void): string[] {
  const [workers, setWorkers] = useState<string[]>([]);
  /** The changes since the last load began: its answer may be older than they are. */
  const changes = useRef<Change[]>([]);

  const load = () => {
    changes.current = [];
    invoke('workers').then(
      (loaded) => setWorkers(changes.current.reduce(changed, loaded as string[])),
      failed,
    );
  };
  const { status, error } = useChannel(
    'work',
    {
      onMessage: (change) => {
        changes.current.push(change);
        setWorkers((known) => changed(known, change));
      },
      onGap: load,
      onError: failed,
    },
    AT_THIS_ISSUE,
  );
  // The list is loaded after the subscription, so that no change is missed in between.
  useEffect(() => {
    if (status === 'subscribed') load();
    else if (error) failed(error);
  }, [status, error]);
  return workers;
}

function changed(workers: string[], { accountId, isWorking }: Change): string[] {
  const others = workers.filter((one) => one !== accountId);
  return isWorking ? [...others, accountId] : others;
}
