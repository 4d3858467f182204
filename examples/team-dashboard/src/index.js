// The app's resolver: the functions that its gadgets can invoke. Forge calls `handler`.
import Resolver from '@forge/resolver';
import { createRealtime, Jira, verifyDashboard } from 'sealwire/resolver';
import * as absences from './absences.js';
import { currentPerson, currentPersonWithTimeZone } from './people.js';
import { join, leave, Refusal, swap, takeOver } from './rotation/changes.js';
import { followed, settled } from './rotation/history.js';
import * as rotations from './rotation/store.js';

// The Forge variables SEALWIRE_URL, SEALWIRE_APP and SEALWIRE_SIGNING_KEY hold the relay's address, the app's id and its key.
const realtime = createRealtime({
  // The context names the dashboard, but a caller can send any context. This function asks Jira as the user.
  authorize: async (context) => {
    const verified = await verifyDashboard(context);
    // Presence has a permission of its own.
    return verified && { ...verified, presence: true };
  },
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
  await settleRotation(dashboard, settled);
  const absence = await absences.add(dashboard, person, payload);
  await announce('absences', { type: 'added', absence });
  await settleRotation(dashboard, followed);
  return absence;
});

resolver.define('absences.remove', async ({ payload, context }) => {
  const dashboard = await verifiedDashboard();
  await settleRotation(dashboard, settled);
  await absences.remove(dashboard, context.accountId, payload.id);
  await announce('absences', { type: 'removed', id: payload.id });
  await settleRotation(dashboard, followed);
});

resolver.define('rotation.get', async () => ({ rotation: await rotations.load(await verifiedDashboard()) }));

resolver.define('rotation.join', async ({ context }) => {
  const { person, timeZone } = await currentPersonWithTimeZone(context.accountId);
  return changeRotation((before, moment) => join(before, moment, person, timeZone));
});

resolver.define('rotation.leave', ({ context: { accountId } }) =>
  changeRotation((before, moment) => leave(before, moment, accountId)),
);

resolver.define('rotation.takeOver', ({ payload, context: { accountId } }) =>
  changeRotation((before, moment) => takeOver(before, moment, accountId, payload)),
);

resolver.define('rotation.swap', ({ payload, context: { accountId } }) =>
  changeRotation((before, moment) => swap(before, moment, accountId, payload)),
);

// `wrap` provides the context of each invocation to `publish` and `scope`.
export const handler = realtime.wrap(resolver.getDefinitions());

/** @typedef {(before: rotations.Rotation, moment: rotations.Moment) => rotations.Rotation} RotationChange */

/**
 * Changes the rotation of this dashboard. A refusal is a result, so that the gadget can show its message and the rotation that
 * caused it.
 * @param {RotationChange} change
 * @returns {Promise<{ rotation: rotations.Rotation, refused?: string }>}
 */
async function changeRotation(change) {
  const dashboard = await verifiedDashboard();
  try {
    return { rotation: await updateRotation(dashboard, change) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { rotation: await rotations.load(dashboard), refused: error.message };
  }
}

/**
 * @param {string} dashboard
 * @param {RotationChange} change
 */
async function updateRotation(dashboard, change) {
  const { rotation, isChanged } = await rotations.update(dashboard, change);
  if (isChanged) await announce('rotation', rotation);
  return rotation;
}

/**
 * Lets the rotation follow the absences: `settled` before an absence changes, for the days that are over, and `followed` after
 * it, for today. If this fails, the next change of the rotation or of an absence does it.
 * @param {string} dashboard
 * @param {RotationChange} change
 */
async function settleRotation(dashboard, change) {
  try {
    await updateRotation(dashboard, change);
  } catch (error) {
    console.error('The rotation does not follow the absences yet:', error);
  }
}

/**
 * Announces a stored change to all users of this dashboard. If the relay is unreachable, they see the change when they load
 * the gadget again.
 * @param {string} channel
 * @param {absences.Change | rotations.Rotation} change
 */
async function announce(channel, change) {
  const { errors } = await realtime.publish(channel, change, ON_THIS_DASHBOARD);
  if (errors) console.error('The change is stored, but was not announced:', errors);
}

/** Returns the dashboard of the context, after Jira confirmed the user's access. Asks Jira once for each invocation. */
async function verifiedDashboard() {
  const { dashboard } = await realtime.scope(ON_THIS_DASHBOARD);
  return /** @type {string} */ (dashboard);
}
