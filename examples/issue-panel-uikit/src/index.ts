// The app's functions: `handler` for the panel, and `commented` for Jira's events about comments. Forge calls both.
import Resolver from '@forge/resolver';
import { createRealtime, Jira, verifyIssue } from 'sealwire/resolver';
import type { Channels } from './channels';
import * as workers from './workers';

const realtime = createRealtime<Channels>({
  // The context names the issue, but a caller can send any context: verifyIssue asks Jira as the user. Panels only subscribe,
  // so every message that they receive comes from the functions below.
  authorize: async (context) => {
    const verified = await verifyIssue(context);
    return verified && { ...verified, subscribe: true, publish: false };
  },
});

const resolver = new Resolver();

resolver.define('sealwire:session', realtime.session);

resolver.define('workers', async () => workers.list(await verifiedIssue()));

resolver.define('setWorking', async ({ payload, context }) => {
  const issue = await verifiedIssue();
  const isWorking = payload.isWorking === true;
  await workers.set(issue, context.accountId, isWorking);
  const { errors } = await realtime.publish(
    'work',
    { accountId: context.accountId, isWorking },
    { scope: { issue } },
  );
  // The state is stored. The others see it when they load the panel again.
  if (errors) console.error('The change was not announced:', errors);
});

export const handler = realtime.wrap(resolver.getDefinitions());

/** The parts of Jira's events about comments that this app uses. */
interface CommentEvent {
  eventType: string;
  issue: { id: string };
}

// A trigger has no page and no user, so it states the scope, from the platform's event.
export const commented = realtime.wrap(async ({ eventType, issue }: CommentEvent, _context: object) => {
  const { errors } = await realtime.publish('comments', { event: eventType }, { scope: { issue: issue.id } });
  if (errors) console.error('The comment was not announced:', errors);
});

/** Returns the issue of the panel, after Jira confirmed the user's access. */
async function verifiedIssue(): Promise<string> {
  const { issue } = await realtime.scope({ contextOverrides: [Jira.Issue] });
  if (issue === undefined) throw new Error('The panel shows no issue.');
  return issue;
}
