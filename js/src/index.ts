// The package's entry for pages: `import { realtime } from 'sealwire'`. Importing it has no side effect.

import { createRealtime } from './browser/realtime.js';
import type { Realtime } from './browser/types.js';
import { processWide } from './process-wide.js';

/**
 * The client of the page, in place of the `realtime` of @forge/bridge. It loads and connects at the first call.
 *
 * @example
 * ```ts
 * await realtime.subscribe('absences', (change) => show(change), { contextOverrides: [Jira.Dashboard] });
 * ```
 */
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
export type { ChannelMap, ChannelName } from './channel-map.js';
export type { Payload } from './arguments/payload.js';
export {
  SealwireError,
  type Gap,
  type Position,
  type SealwireErrorConstructor,
  type SealwireErrorDetails,
} from './errors/sealwire-error.js';
export type { CallErrorCode, ErrorCode, StreamErrorCode } from './errors/codes.js';
export type { ConnectionState, CoreKind, VerifiedSender } from './core/browser-core.js';
export type { SessionGrant, SessionKey, SessionReason, SessionRequest } from './session/grant.js';
export type { ScopedGrant } from './session/scoped-grant.js';
export type { TokenProvider } from './session/token-provider.js';
export type { DebugEvent, DebugListener } from './transport/debug-socket.js';
export type { Transport } from './transport/socket.js';
export type {
  Callback,
  Publish,
  PublishOptions,
  PublishResult,
  Realtime,
  RealtimeEvent,
  RealtimeOptions,
  StateListener,
  Subscribe,
  Subscription,
} from './browser/types.js';
export type {
  AcceptedMembers,
  OpenPresence,
  Presence,
  PresenceListener,
  PresenceMember,
  PresenceOptions,
} from './browser/presence-types.js';
export type { StreamGap, StreamOptions, TextStream } from './browser/text-stream-types.js';
export type {
  AcceptedSenders,
  CallOptions,
  ChannelOptions,
  ErrorListener,
  Resumed,
  SubscriptionOptions,
  SubscriptionState,
} from './browser/subscription-types.js';
