// The functions of an app for Forge Realtime, with the calls of its documentation: the default context, contextOverrides, a
// global channel and a channel token.
import { Jira, publish, publishGlobal, signRealtimeToken } from '@forge/realtime';
import Resolver from '@forge/resolver';

const resolver = new Resolver();

resolver.define('say', async ({ payload }) => publish('my-channel', { text: String(payload.text) }));

resolver.define('sayInIssue', async ({ payload }) =>
  publish('my-channel', { text: String(payload.text) }, { contextOverrides: [Jira.Issue] }),
);

resolver.define('sayToAll', async ({ payload }) => publishGlobal('my-channel', String(payload.text)));

resolver.define('token', async ({ context }) => {
  const { token, errors } = await signRealtimeToken('my-channel', { accountId: context.accountId });
  if (errors) throw new Error(errors[0].message);
  return token;
});

resolver.define('sayToMe', async ({ payload, context }) => {
  const { token } = await signRealtimeToken('my-channel', { accountId: context.accountId }, ['publish']);
  const result = await publish('my-channel', String(payload.text), { token: token as string });
  if (result.errors?.[0]?.message === 'RATE_LIMIT_EXCEEDED') throw new Error('Try again later.');
  return result;
});

export const handler = resolver.getDefinitions();
