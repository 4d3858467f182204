// A session for tests in which the core is not the real one.

export const grant = {
  url: 'wss://relay.example/v1/realtime',
  token: 'jwt',
  issuedAtMs: 1_700_000_000_000,
  expiresAt: 1_700_000_900,
  app: 'app',
  installation: 'ari:cloud:jira::site/1',
  context: {},
  keys: [{ id: 'AAAAAA', scopes: '', signer: '' }],
};
