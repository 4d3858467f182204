// The app's functions, for the customer's panel in the portal and for the agent's panel at the issue. Forge calls `handler`.
import Resolver from '@forge/resolver';
import { createRealtime, Forge, JiraServiceManagement } from 'sealwire/resolver';
import { verifiedRequest } from './access.js';
import * as notes from './notes.js';

const realtime = createRealtime({
  unlicensedAccess: ['customer', 'unlicensed'],
  // Both panels get the property `request`, which the context of the issue panel lacks. This runs before every session and
  // every publication, and throws for a user without access.
  properties: async (context) => ({ request: await verifiedRequest(context) }),
  // Panels only subscribe, so every note and every hint that they receive comes from the functions below.
  authorize: () => ({ properties: ['module', 'request'], subscribe: true, publish: false }),
});

/** The customer and the agents of a request share a channel, although their panels are different modules. */
const AT_THIS_REQUEST = { contextOverrides: [JiraServiceManagement.Request] };

const resolver = new Resolver();

resolver.define('sealwire:session', realtime.session);

resolver.define('notes', async () => {
  const { request, side } = await caller();
  return { side, notes: await notes.list(request) };
});

resolver.define('addNote', async ({ payload }) => {
  const { request, side } = await caller();
  const note = await notes.add(request, side, payload.text);
  const { errors } = await realtime.publish('chat', { note }, AT_THIS_REQUEST);
  // The note is stored. The other side sees it when it loads the notes again.
  if (errors) console.error('The note was not announced:', errors);
  return note;
});

resolver.define('typing', async () => {
  const { side } = await caller();
  await realtime.publish('chat', { typing: side }, AT_THIS_REQUEST);
});

export const handler = realtime.wrap(resolver.getDefinitions());

/**
 * Returns the verified request of the calling panel, and the caller's side. The platform vouches for the module, and admits
 * customers to the portal's module only.
 * @returns {Promise<{ request: string, side: notes.Side }>}
 */
async function caller() {
  const { module, request } = await realtime.scope({
    contextOverrides: [Forge.Module, JiraServiceManagement.Request],
  });
  return { request, side: module === 'agent-panel' ? 'agent' : 'customer' };
}
