// The app's resolver: the functions that its gadget can invoke. Forge calls `handler`.
import Resolver from '@forge/resolver';
import { createRealtime, Jira, verifyDashboard } from 'sealwire/resolver';
import * as absences from './absences.js';
import { currentPerson } from './people.js';

// The Forge variables SEALWIRE_URL, SEALWIRE_APP and SEALWIRE_SIGNING_KEY hold the relay's address, the app's id and its key.
const realtime = createRealtime({
  // The context names the dashboard, but a caller can send any context. This function asks Jira as the user.
  authorize: verifyDashboard,
});

const ON_THIS_DASHBOARD = { contextOverrides: [Jira.Dashboard] };

const resolver = new Resolver();

resolver.define('sealwire:session', realtime.session);

resolver.define('absences.list', async ({ context }) => ({
  me: await currentPerson(context.accountId),
  absences: await absences.list(await verifiedDashboard()),
}));

resolver.define('absences.add', async ({ payload, context }) => {
  const dashboard = await verifiedDashboard();
  const person = await currentPerson(context.accountId);
  const absence = await absences.add(dashboard, person, payload);
  await announce({ type: 'added', absence });
  return absence;
});

resolver.define('absences.remove', async ({ payload, context }) => {
  await absences.remove(await verifiedDashboard(), context.accountId, payload.id);
  await announce({ type: 'removed', id: payload.id });
});

// `wrap` provides the context of each invocation to `publish` and `scope`.
export const handler = realtime.wrap(resolver.getDefinitions());

/**
 * Announces a stored change to all users of this dashboard. If the relay is unreachable, they see the change when they load
 * the list again.
 * @param {absences.Change} change
 */
async function announce(change) {
  const { errors } = await realtime.publish('absences', change, ON_THIS_DASHBOARD);
  if (errors) console.error('The change is stored, but was not announced:', errors);
}

/** Returns the dashboard of the context, after Jira confirmed the user's access. Asks Jira once for each invocation. */
async function verifiedDashboard() {
  const { dashboard } = await realtime.scope(ON_THIS_DASHBOARD);
  return /** @type {string} */ (dashboard);
}
