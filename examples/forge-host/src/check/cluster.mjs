// The claims about a cluster: kills relays and NATS servers while three people publish numbered events, and asserts that every
// event arrives once and in order.
import { MEMBERS } from '../platform/members.mjs';
import { same } from './assertions.mjs';
import { ClusterPage } from './cluster-page.mjs';

/** @typedef {import('./check.mjs').Claim} Claim */
/** @typedef {import('./check.mjs').Person} Person */

/** Ben has the duty of today. */
const DURING_RELAY = { kind: 'Training', from: 0, to: 4, note: 'Added while the relay of Anna was dead' };
const DURING_NATS = { kind: 'Vacation', from: 1, to: 9, note: 'Added while a NATS server was dead' };
const [ANNA] = MEMBERS;
const PEOPLE = MEMBERS.map(({ id }) => id);
/** The events that wait until a cluster without a majority counts as stopped. */
const WAITING = 4;

/**
 * @param {Claim} claim
 * @param {import('playwright-core').Page} page
 * @param {Person[]} people
 */
export async function claimCluster(claim, page, people) {
  const cluster = new ClusterPage(page);
  await claim('Anna and Ben are at different relays, and events arrive', async () => {
    await cluster.whenAt('anna', 'relay-1');
    await cluster.whenAt('ben', 'relay-2');
    await cluster.goesOn(PEOPLE);
  });
  await claimRelay(claim, cluster, people);
  await claimServer(claim, cluster, people);
  await claim(
    'After the last relay of all three is killed, they come to the one that started again',
    async () => {
      await cluster.kill('relay-2');
      for (const person of PEOPLE) await cluster.whenAt(person, 'relay-1');
      await cluster.goesOn(PEOPLE);
      await cluster.start('relay-2');
    },
  );
  await claimNothingMissed(claim, cluster);
  await claimMajority(claim, cluster);
}

/**
 * @param {Claim} claim
 * @param {ClusterPage} cluster
 * @param {Person[]} people
 */
async function claimRelay(claim, cluster, [anna, ben]) {
  await ben.rotation.join();
  await anna.rotation.join();
  await ben.absences.write(DURING_RELAY);
  await cluster.kill('relay-1');
  await claim('While the relay of Anna is dead, Ben adds an absence', () => ben.absences.send());
  await claim('Anna comes to the other relay and sees it, and events go on', async () => {
    await cluster.whenAt('anna', 'relay-2');
    await cluster.whenAt('cleo', 'relay-2');
    await anna.absences.shows(DURING_RELAY.note);
    await cluster.goesOn(PEOPLE);
  });
  await claim('Ben is absent today, so Anna stands in, on both screens', async () => {
    for (const { rotation } of [anna, ben])
      await rotation.showsOnDuty(ANNA.displayName, 'Stands in for Ben, who is away');
  });
  await claim('The other relay resumed the subscriptions of Anna, all of them complete', async () => {
    const { complete, all } = await cluster.resumed('anna');
    if (all === 0) throw new Error('No subscription was resumed.');
    same(complete, all);
  });
  await claim('The relay starts again', () => cluster.start('relay-1'));
}

/**
 * @param {Claim} claim
 * @param {ClusterPage} cluster
 * @param {Person[]} people
 */
async function claimServer(claim, cluster, [anna, ben]) {
  const [leader] = await cluster.serversByStreams();
  await cluster.kill(leader.id);
  await claim('After the NATS server that led most streams is killed, events go on', () =>
    cluster.goesOn(PEOPLE),
  );
  await claim('While it is dead, Anna adds an absence and Ben sees it', async () => {
    // A function waits five seconds for its publication, which is shorter than some elections.
    for (const relay of ['relay-1', 'relay-2']) await cluster.whenReady(relay);
    await anna.absences.write(DURING_NATS);
    await anna.absences.send();
    await ben.absences.shows(DURING_NATS.note);
  });
  await claim('The NATS server starts again and copies every message', async () => {
    await cluster.start(leader.id);
    await cluster.whenAllReady();
  });
}

/**
 * @param {Claim} claim
 * @param {ClusterPage} cluster
 */
async function claimNothingMissed(claim, cluster) {
  await claim('Every event of everybody arrived once and in order, and the SDK reported no gap', async () => {
    await cluster.settle();
    for (const person of PEOPLE) {
      const counts = await countsOf(cluster, person);
      same(counts, { ...counts, received: counts.published, missed: 0, repeated: 0, reordered: 0, gaps: 0 });
    }
    const verdict = await cluster.verdict();
    same(verdict, 'Nothing missed: every event arrived once and in order.');
  });
}

/**
 * Kills two of three NATS servers. Both lose their memory, so the cluster may start with empty streams: then messages are
 * missing, and the SDK has to say so.
 * @param {Claim} claim
 * @param {ClusterPage} cluster
 */
async function claimMajority(claim, cluster) {
  await cluster.publish();
  const [first, second] = await cluster.serversByStreams();
  for (const { id } of [first, second]) await cluster.kill(id);
  await claim('Without a majority of the NATS servers publishing waits, and the page says why', async () => {
    await cluster.whenVerdict('two of three NATS servers have to run');
    for (const person of PEOPLE) await cluster.whenAtLeast(person, 'unanswered', WAITING);
  });
  await claim(
    'With the majority back, the events that waited arrive, and the SDK reports what is missing',
    async () => {
      for (const { id } of [first, second]) await cluster.startOnly(id);
      await cluster.whenAllReady();
      await cluster.settle();
      for (const person of PEOPLE) {
        const { missed, repeated, gaps } = await countsOf(cluster, person);
        same([repeated, missed > 0 && gaps === 0], [0, false]);
      }
    },
  );
}

/**
 * @param {ClusterPage} cluster
 * @param {string} person
 */
async function countsOf(cluster, person) {
  const names = /** @type {const} */ (['published', 'received', 'missed', 'repeated', 'reordered', 'gaps']);
  const counts = await Promise.all(names.map(async (name) => [name, await cluster.count(person, name)]));
  return /** @type {Record<typeof names[number], number>} */ (Object.fromEntries(counts));
}
