// The app's functions: `handler` for the page, and `consumer` for the queue. Forge calls both.
import { Queue, type AsyncEvent } from '@forge/events';
import Resolver from '@forge/resolver';
import { createRealtime, verifyIssue } from 'sealwire/resolver';
import * as answers from './answers';
import { reply } from './model';

/** A job carries the verified scope of the page's channel, because a consumer has no page. */
type Job = { id: string; scope: Record<string, string> };

const queue = new Queue<Job>({ key: 'questions' });

const realtime = createRealtime({
  // The context names the issue, but a caller can send any context: verifyIssue asks Jira as the user. Pages only subscribe,
  // so every text that they receive comes from the functions below.
  authorize: async (context) => {
    const verified = await verifyIssue(context);
    return verified && { ...verified, subscribe: true, publish: false };
  },
});

const resolver = new Resolver();

resolver.define('sealwire:session', realtime.session);

resolver.define('latest', async () => (await answers.latest(await verifiedIssue())) ?? null);

resolver.define('ask', async ({ payload, context }) => {
  const scope = await realtime.scope();
  const answer = await answers.start(await verifiedIssue(), context.accountId, payload.question);
  await queue.push({ body: { id: answer.id, scope } });
  // Everybody at the issue reads along, the asker included.
  const { errors } = await realtime.publish('questions', { id: answer.id, question: answer.question });
  if (errors) console.error('The question was not announced:', errors);
  return answer;
});

resolver.define('cancel', async ({ payload, context }) =>
  answers.cancel(await verifiedIssue(), payload.id, context.accountId),
);

export const handler = realtime.wrap(resolver.getDefinitions());

export const consumer = realtime.wrap(async ({ body: { id, scope } }: AsyncEvent<Job>, _context: object) => {
  const answer = await answers.find(issueOf(scope), id);
  // The platform may deliver an event twice.
  if (answer?.status !== 'running') return;
  await realtime
    .publishStream('answers', written(issueOf(scope), answer), { id, scope })
    .catch((error) => console.error('The answer failed:', error));
});

/** Yields the model's answer until it ends or is cancelled, and stores it before the stream ends. */
async function* written(issue: string, answer: answers.Answer): AsyncGenerator<string> {
  const isCancelled = eachSecond(() => answers.isCancelled(answer));
  let text = '';
  // Stays so if the model or the publication fails, which leaves the loop.
  let status: answers.Status = 'failed';
  try {
    for await (const piece of reply(answer.question)) {
      if (await isCancelled()) {
        status = 'cancelled';
        return;
      }
      text += piece;
      yield piece;
    }
    status = 'done';
  } finally {
    await answers.finish(issue, answer, status, text);
  }
}

/** Returns a function that asks at most once a second, and returns false in between. */
function eachSecond(ask: () => Promise<boolean>): () => Promise<boolean> {
  let next = 0;
  return async () => {
    if (Date.now() < next) return false;
    next = Date.now() + 1_000;
    return ask();
  };
}

/** Returns the issue of the page, after Jira confirmed the user's access. Asks Jira once for each invocation. */
async function verifiedIssue(): Promise<string> {
  return issueOf(await realtime.scope());
}

function issueOf({ issue }: Record<string, string | undefined>): string {
  if (issue === undefined) throw new Error('The page shows no issue.');
  return issue;
}
