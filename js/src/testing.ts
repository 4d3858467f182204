// The package's entry for an app's own unit tests: `import { createTestRelay } from 'sealwire/testing'`.

export type { ChannelMap, ChannelName } from './channel-map.js';
export { createTestRelay } from './testing/relay.js';
export type {
  ResolverHandler,
  TestPageOptions,
  TestPublication,
  TestPublications,
  TestRelay,
  TestRelayOptions,
} from './testing/types.js';
