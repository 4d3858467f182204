// Mints a session, publishes and signs a token with the resolver API. Runs in every kind of resolver bundle, whose main file
// prints the result as JSON.

export async function exerciseResolver({ createRealtime, Jira, wrap }) {
  const stored = new Map();
  const posted = [];
  const realtime = createRealtime({
    authorize: () => true,
    environment: 'test',
    trustUnsignedContext: true,
    url: 'wss://relay.example',
    app: 'app-1',
    signingKey: `k1.${Buffer.alloc(64, 7).toString('base64url')}`,
    secrets: {
      read: async (installation) => stored.get(installation),
      create: async (installation, secret) => (stored.set(installation, secret), secret),
      replace: async (installation, secret) => void stored.set(installation, secret),
    },
    fetch: async (url, init) => {
      posted.push({ url, ...JSON.parse(init.body).messages[0] });
      return Response.json({ results: [{ eventId: '00000000000000aa-7', eventTimestamp: 1 }] });
    },
  });
  const extension = { type: 'jira:issuePanel', project: { id: '3' }, issue: { id: '7' } };
  const context = { moduleKey: 'panel', extension };
  const runtime = { installContext: 'ari:cloud:jira::site/1', principal: { accountId: 'ada' } };
  const handler = wrap(async (request, platform) => {
    const merged = { ...request.context, installContext: platform.installContext, accountId: 'ada' };
    const grant = await realtime.session({ context: merged });
    const published = await realtime.publish(
      'n',
      { text: 'plaintext' },
      { contextOverrides: [Jira.Project] },
    );
    const signed = await realtime.signRealtimeToken('n', { team: 'blue' });
    return { grant, published, signed };
  });
  const { grant, published, signed } = await handler({ call: { functionKey: 'x' }, context }, runtime);
  const [message] = posted;
  const sealed = Buffer.from(message.sealed, 'base64');
  return {
    url: grant.url,
    context: grant.context,
    algorithm: JSON.parse(Buffer.from(grant.token.split('.')[0], 'base64url')).alg,
    scopeKeys: Buffer.from(grant.keys[0].scopes, 'base64url').length / 32,
    scope: message.scope,
    sealedVersion: sealed[0],
    plaintextVisible: sealed.includes('plaintext'),
    published,
    tokenParts: signed.token.split('~').length,
  };
}
