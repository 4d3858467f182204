// The panel at an issue: the accounts that work on it, and the number of its comments.
import React, { useState } from 'react';
import { invoke } from '@forge/bridge';
import {
  Badge,
  Button,
  Inline,
  Lozenge,
  SectionMessage,
  Stack,
  Text,
  User,
  UserGroup,
  useProductContext,
} from '@forge/react';
import { useRealtimeState } from './realtime';
import { useCommentCount } from './use-comment-count';
import { useWorkers } from './use-workers';

export function Panel() {
  const [error, setError] = useState<string>();
  const failed = (thrown: unknown) => setError(thrown instanceof Error ? thrown.message : String(thrown));
  const context = useProductContext();
  const workers = useWorkers(failed);
  const comments = useCommentCount(context?.extension.issue?.id, failed);
  const state = useRealtimeState();
  const isWorking = workers.some((one) => one === context?.accountId);
  const setWorking = () => invoke('setWorking', { isWorking: !isWorking }).catch(failed);

  return (
    <Stack space="space.100">
      {error && (
        <SectionMessage appearance="error">
          <Text>{error}</Text>
        </SectionMessage>
      )}
      <Inline space="space.100" alignBlock="center">
        <Text>At work:</Text>
        {workers.length === 0 ? (
          <Text>nobody</Text>
        ) : (
          <UserGroup>
            {workers.map((accountId) => (
              <User key={accountId} accountId={accountId} />
            ))}
          </UserGroup>
        )}
        <Button onClick={setWorking} isDisabled={context === undefined}>
          {isWorking ? 'I stop' : 'I work on it'}
        </Button>
      </Inline>
      <Inline space="space.100" alignBlock="center">
        <Text>Comments:</Text>
        <Badge>{comments ?? '…'}</Badge>
        {state !== 'connected' && <Lozenge>{state}</Lozenge>}
      </Inline>
    </Stack>
  );
}
