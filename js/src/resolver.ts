// The package's entry for Forge functions: `import { publish } from 'sealwire/resolver'`. Importing it has no side effect and
// reads no variable.

import { createRealtime, realtimeWithoutSessions, wrap } from './backend/create-realtime.js';
import type { CreateStream, Publish, PublishStream, Realtime, SignRealtimeToken } from './backend/types.js';

/** The API with the app's variables as its settings. Sessions need createRealtime() with an authorize() of the app. */
const byVariables: Realtime = /* @__PURE__ */ realtimeWithoutSessions();

/**
 * Publishes a message, in place of the `publish` of @forge/realtime. The app's variables SEALWIRE_URL, SEALWIRE_APP and
 * SEALWIRE_SIGNING_KEY configure it.
 */
export const publish: Publish = (channel, payload, options) => byVariables.publish(channel, payload, options);

/** Publishes to the installation-wide channel of this name, in place of the `publishGlobal` of @forge/realtime. */
export const publishGlobal: Publish = (channel, payload, options) =>
  byVariables.publishGlobal(channel, payload, options);

/** Starts a text stream, such as a language model's answer. The app's variables configure it. */
export const createStream: CreateStream = (channel, options) => byVariables.createStream(channel, options);

/** Publishes the text of an iterable as a stream. The app's variables configure it. */
export const publishStream: PublishStream = (channel, source, options) =>
  byVariables.publishStream(channel, source, options);

/** Signs a channel token for a page, in place of the `signRealtimeToken` of @forge/realtime. */
export const signRealtimeToken: SignRealtimeToken = (channel, claims, permissions, options) =>
  byVariables.signRealtimeToken(channel, claims, permissions, options);

export { createRealtime, wrap };
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
export {
  verifyContent,
  verifyDashboard,
  verifyIssue,
  verifyProject,
  verifyRequest,
  type Verified,
} from './verify/verify.js';
export type { UnlicensedUser } from './backend/accounts.js';
export type { ForgeContext } from './context/properties.js';
export type { InstallationSecret, Permission, TaggedName } from './core/resolver-core.js';
export type { ChannelMap, ChannelName } from './channel-map.js';
export type { Payload } from './arguments/payload.js';
export {
  SealwireError,
  type SealwireErrorConstructor,
  type SealwireErrorDetails,
} from './errors/sealwire-error.js';
export type { CallErrorCode, ErrorCode, StreamErrorCode } from './errors/codes.js';
export type { SessionGrant, SessionKey } from './session/grant.js';
export type { ScopedGrant } from './session/scoped-grant.js';
export type {
  Authorization,
  Authorize,
  RealtimeOptions,
  RelaySetting,
  SecretStore,
  StateProperties,
} from './backend/options.js';
export type {
  CreateStream,
  DisconnectResult,
  DisconnectSelector,
  InvocationOption,
  Publish,
  PublishOptions,
  PublishResult,
  PublishStream,
  Realtime,
  RealtimeFailure,
  RealtimeTokenPermissions,
  ResolverRequest,
  ScopeOptions,
  SignRealtimeToken,
  StreamPublisher,
  StreamPublishOptions,
  TimeoutOption,
  TokenOptions,
  TokenResult,
  Wrap,
} from './backend/types.js';
