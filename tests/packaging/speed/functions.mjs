// The functions whose cold start is measured, as the sources of a Forge app. Each handler returns the milliseconds for which it
// waited for its storage.

export const EMPTY = 'export const handler = async () => 0;\n';

const OPTIONS = `
  authorize: () => true,
  environment: 'test',
  trustUnsignedContext: true,
  url: 'wss://relay.example',
  app: 'app-1',
  signingKey: \`k1.\${Buffer.alloc(64, 7).toString('base64url')}\`,
`;

const CONTEXT = `{
  moduleKey: 'panel',
  accountId: 'ada',
  installContext: 'ari:cloud:jira::site/1',
  extension: { type: 'jira:issuePanel', project: { id: '3' }, issue: { id: '7' } },
}`;

/** Writes the secret of an installation, as the first session of an installation stores it. */
export const MAKE_SECRET = `
import { writeFileSync } from 'node:fs';
import { createRealtime } from 'sealwire/resolver';

const secrets = {
  read: async () => undefined,
  create: async (_, secret) => {
    writeFileSync('src/secret.js', \`export const secret = \${JSON.stringify(secret)};\\n\`);
    return secret;
  },
  replace: async () => {},
};
await createRealtime({ ${OPTIONS} secrets }).session({ context: ${CONTEXT} });
`;

export const SESSION = `
import { createRealtime } from 'sealwire/resolver';
import { secret } from './secret.js';

let delayMs = 0;
let waitedMs = 0;

async function read() {
  if (delayMs === 0) return secret;
  const asked = performance.now();
  // The answer arrives at this time, even if the process is busy then.
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  waitedMs = Math.min(delayMs, performance.now() - asked);
  return secret;
}

const secrets = { read, create: async (_, created) => created, replace: async () => {} };
const realtime = createRealtime({ ${OPTIONS} secrets });

export const handler = async (storageMs) => {
  delayMs = storageMs;
  const grant = await realtime.session({ context: ${CONTEXT}, payload: { reason: 'connect' } });
  if (!grant.token) throw new Error('there is no session');
  return waitedMs;
};
`;
