// The app's functions. Forge calls `handler`.
import Resolver from '@forge/resolver';
import { createRealtime, verifyContent } from 'sealwire/resolver';
import * as votes from './votes.js';

const realtime = createRealtime({
  // The context names the content, but a caller can send any context: verifyContent asks Confluence as the user. Pages only
  // subscribe, so every vote that they receive has been stored by the function below.
  authorize: async (context) => {
    const verified = await verifyContent(context);
    return verified && { ...verified, subscribe: true, publish: false };
  },
});

const resolver = new Resolver();

resolver.define('sealwire:session', realtime.session);

resolver.define('votes', async ({ context }) => {
  const poll = await pollOf(context);
  return { votes: await votes.list(poll), mine: await votes.ballotOf(poll, context.accountId) };
});

resolver.define('vote', async ({ payload, context }) => {
  const vote = await votes.cast(await pollOf(context), context.accountId, payload.option);
  const { errors } = await realtime.publish(votes.channelOf(context.localId), vote);
  // The vote is stored. The other screens show it when they load the poll again.
  if (errors) console.error('The vote was not announced:', errors);
  return vote;
});

export const handler = realtime.wrap(resolver.getDefinitions());

/**
 * Returns the poll of the macro: the content, which Confluence confirmed, and the macro's id in it. A caller can claim any
 * such id, but gains nothing: no macro shows the votes of a poll that the content does not have.
 * @param {{ localId?: string }} context
 * @returns {Promise<votes.Poll>}
 */
async function pollOf({ localId }) {
  const { content } = await realtime.scope();
  if (!content) throw new Error('The macro is in no page and in no blog post.');
  return { content, macro: votes.checkedMacro(localId) };
}
