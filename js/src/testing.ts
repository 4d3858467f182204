// The package's entry for an app's own unit tests: `import { createTestRelay } from 'sealwire/testing'`.

export { createTestRelay } from './testing/relay.js';
export type {
  ResolverHandler,
  TestPageOptions,
  TestPublication,
  TestRelay,
  TestRelayOptions,
} from './testing/types.js';
