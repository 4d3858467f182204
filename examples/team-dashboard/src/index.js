// The app's resolver: the functions that its gadget may invoke. Forge calls `handler`.
import Resolver from '@forge/resolver';
import { createRealtime, Jira } from 'sealwire/resolver';
import * as absences from './absences.js';
import { currentPerson } from './people.js';

// Relay address, app id and signing key come from the Forge variables SEALWIRE_URL, SEALWIRE_APP and SEALWIRE_SIGNING_KEY.
const realtime = createRealtime({
  // Forge has checked that the user may see the dashboard before it hands out this context.
  authorize: (context) => dashboardOf(context) !== undefined,
});

const resolver = new Resolver();

resolver.define('sealwire:session', realtime.session);

resolver.define('absences.list', async ({ context }) => ({
  me: await currentPerson(context.accountId),
  absences: await absences.list(requireDashboard(context)),
}));

resolver.define('absences.add', async ({ payload, context }) => {
  const person = await currentPerson(context.accountId);
  const absence = await absences.add(requireDashboard(context), person, payload);
  await announce({ type: 'added', absence });
  return absence;
});

resolver.define('absences.remove', async ({ payload, context }) => {
  await absences.remove(requireDashboard(context), context.accountId, payload.id);
  await announce({ type: 'removed', id: payload.id });
});

// `wrap` carries the context of each invocation to `publish`.
export const handler = realtime.wrap(resolver.getDefinitions());

/**
 * Tells everybody who looks at this dashboard. The change is stored by now: where the relay cannot be reached, the others
 * see it when they load the list again.
 * @param {absences.Change} change
 */
async function announce(change) {
  const { errors } = await realtime.publish('absences', change, { contextOverrides: [Jira.Dashboard] });
  if (errors) console.error('The change is stored, but was not announced:', errors);
}

/**
 * @param {Record<string, any>} context
 * @returns {string | undefined}
 */
function dashboardOf(context) {
  const id = context.extension?.dashboard?.id;
  return id === undefined ? undefined : String(id);
}

/** @param {Record<string, any>} context */
function requireDashboard(context) {
  const dashboard = dashboardOf(context);
  if (dashboard === undefined) throw new Error('Absences belong to a Jira dashboard. Add the gadget to one.');
  return dashboard;
}
