// The number of comments that the user may see.
import { useEffect, useRef, useState } from 'react';
import { requestJira } from '@forge/bridge';
import { AT_THIS_ISSUE, useChannel } from './realtime';

/** Returns the number, or undefined until Jira has answered. */
export function useCommentCount(
  issue: string | undefined,
  failed: (error: unknown) => void,
): number | undefined {
  const [count, setCount] = useState<number>();
  const requests = useRef(0);

  const load = async () => {
    if (issue === undefined) return;
    const request = ++requests.current;
    const response = await requestJira(`/rest/api/3/issue/${issue}/comment?maxResults=1`);
    if (!response.ok) throw new Error(`Jira answered ${response.status}.`);
    const { total } = await response.json();
    // Answers may arrive in another order.
    if (request === requests.current) setCount(total);
  };
  const reload = () => void load().catch(failed);
  const { status } = useChannel(
    'comments',
    { onMessage: reload, onGap: reload, onError: failed },
    AT_THIS_ISSUE,
  );
  useEffect(() => {
    if (status === 'subscribed') reload();
    // The other hook reports the reason for which there is no subscription: it is the same.
  }, [status, issue]);
  return count;
}
