// The package's entry for pages: `import { realtime } from 'sealwire'`. Importing it starts nothing.

import { createRealtime } from './browser/realtime.js';
import type { Realtime } from './browser/types.js';
import { processWide } from './process-wide.js';

/** For a Forge Custom UI: takes the place of @forge/bridge's `realtime`. */
export const realtime: Realtime = /* @__PURE__ */ processWide('realtime', () => createRealtime());

export { createRealtime };
export {
  Bitbucket,
  Compass,
  Confluence,
  Forge,
  Jira,
  JiraServiceManagement,
  property,
  type AppProperty,
  type KnownProperty,
  type ProductContext,
} from './context/product-context.js';
export { SealwireError, type Gap, type Position } from './errors/sealwire-error.js';
export type { ErrorCode } from './errors/codes.js';
export type { ConnectionState, CoreKind, SessionReason } from './core/browser-core.js';
export type { TokenProvider } from './session/channel-token.js';
export type { SessionGrant, SessionKey } from './session/grant.js';
export type { ScopedGrant } from './session/scoped-grant.js';
export type { StreamGap, StreamOptions, TextStream } from './stream/types.js';
export type { DebugEvent, DebugListener } from './transport/debugged.js';
export type { Transport } from './transport/socket.js';
export type {
  Callback,
  CallOptions,
  ChannelOptions,
  ErrorListener,
  Publish,
  PublishOptions,
  PublishResult,
  Realtime,
  RealtimeEvent,
  RealtimeOptions,
  StateListener,
  Subscribe,
  Subscription,
  SubscriptionOptions,
  SubscriptionState,
} from './browser/types.js';
