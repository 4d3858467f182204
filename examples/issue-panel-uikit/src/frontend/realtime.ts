// The hooks of this app: those of sealwire/react, with the types of its channels.
import { Jira } from 'sealwire';
import { createHooks } from 'sealwire/react';
import type { Channels } from '../channels';

export const { useChannel, useRealtimeState } = createHooks<Channels>();

/** The channels of the issue, which the panel shares with the trigger. */
export const AT_THIS_ISSUE = { contextOverrides: [Jira.Issue] };
