// createTestRelay(): a relay, its pages and its resolver in one process, for an app's own unit tests.

import { invalid } from '../arguments/invalid.js';
import { checkFunction, checkOptions } from '../arguments/options.js';
import { parsePayload } from '../arguments/payload.js';
import type { ChannelMap } from '../channel-map.js';
import { eventId, type Publication } from './hub.js';
import { readable } from './name-tags.js';
import { TestPages } from './pages.js';
import { TestResolvers } from './resolvers.js';
import type { TestPublication, TestRelay, TestRelayOptions } from './types.js';
import { World } from './world.js';

const MAX_REPLAY_SECONDS = 120;
const INSTALLATION = 'ari:cloud:jira::site/test';

/** Returns a publication with its payload and its names readable, as a test examines it. */
function described(publication: Publication): TestPublication {
  const { address, timestamp, event, payload, from, accountId } = publication;
  return {
    eventId: eventId(publication),
    timestamp,
    channel: readable(address.name),
    scope: Object.fromEntries(Object.entries(address.scope).map(([name, value]) => [name, readable(value)])),
    ...(address.claims !== undefined && { claims: JSON.parse(address.claims) as unknown }),
    eventName: readable(event),
    payload: parsePayload(payload),
    from,
    ...(accountId !== undefined && { accountId }),
  };
}

/**
 * Creates a relay in memory for the unit tests of an app. It needs no network, no Rust core and no Forge, and follows the
 * rules of the real relay. Nothing in it is encrypted.
 *
 * @param options - The replay window, the installation and the clock.
 * @typeParam M - The app's channel map, which types the payloads of each channel. Without it, each call states its type.
 * @returns The relay.
 * @throws SealwireError with the code `INVALID_ARGUMENT` for a wrong option.
 *
 * @example
 * ```ts
 * const relay = createTestRelay();
 * const [anna, ben] = [relay.realtime(), relay.realtime()];
 * await ben.subscribe('news', (payload) => received.push(payload));
 * await anna.publish('news', 'hello');
 * await relay.settled();
 * ```
 */
export function createTestRelay<M extends ChannelMap<M> = any>(options: TestRelayOptions = {}): TestRelay<M> {
  const {
    replaySeconds = MAX_REPLAY_SECONDS,
    installation = INSTALLATION,
    now = () => Date.now(),
  } = checkOptions(options) as TestRelayOptions;
  if (typeof installation !== 'string' || installation === '') {
    throw invalid("The option installation must be a text such as 'ari:cloud:jira::site/test'.");
  }
  if (!(replaySeconds > 0 && replaySeconds <= MAX_REPLAY_SECONDS)) {
    throw invalid(`The option replaySeconds must be a number above 0 and at most ${MAX_REPLAY_SECONDS}.`);
  }
  const world = new World(replaySeconds, now);
  const resolvers = new TestResolvers(world, installation);
  const pages = new TestPages(world, resolvers, installation);

  const relay: TestRelay = {
    realtime: (options) => pages.create(options),
    resolver: (options) => resolvers.create(options),
    installation,
    invoke: async (handler, functionKey, payload, page) =>
      (await pages.invoke(handler, functionKey, payload, page)) as any,
    run: (work, page) => {
      checkFunction(work, 'run() takes work, which');
      return pages.run(work, page);
    },
    cut: (page) => {
      const networks = pages.networks(page);
      for (const network of networks) network.shut();
      world.disconnect(networks);
    },
    mend: (page) => {
      for (const network of pages.networks(page)) network.open();
    },
    forget: () => world.hub.forget(),
    restart: () => world.restart(),
    expire: () => world.expireAll(),
    published: (channel) =>
      world.hub.published
        .map(described)
        .filter((publication) => channel === undefined || publication.channel === channel),
    settled: () => world.settled(),
  };
  return relay;
}
