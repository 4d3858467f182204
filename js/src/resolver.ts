// The package's entry for Forge functions: `import { publish } from 'sealwire/resolver'`. Importing it reads nothing
// and starts nothing.

import { byThePlatform, createRealtime, wrap } from './backend/create-realtime.js';
import type { Publish, Realtime, SignRealtimeToken } from './backend/types.js';
import type { CreateStream, PublishStream } from './stream/types.js';

/** Configured by the app's variables. Sessions need a createRealtime() with an authorize() of the app's own. */
const byVariables: Realtime = /* @__PURE__ */ byThePlatform();

/** Takes the place of @forge/realtime's `publish`. */
export const publish: Publish = (channel, payload, options) => byVariables.publish(channel, payload, options);

/** Takes the place of @forge/realtime's `publishGlobal`. */
export const publishGlobal: Publish = (channel, payload, options) =>
  byVariables.publishGlobal(channel, payload, options);

export const createStream: CreateStream = (channel, options) => byVariables.createStream(channel, options);

export const publishStream: PublishStream = (channel, source, options) =>
  byVariables.publishStream(channel, source, options);

/** Takes the place of @forge/realtime's `signRealtimeToken`. */
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
} from './verify/verify.js';
export type { UnlicensedUser } from './backend/accounts.js';
export type { ForgeContext } from './context/properties.js';
export type { InstallationSecret, Permission } from './core/resolver-core.js';
export { SealwireError } from './errors/sealwire-error.js';
export type { ErrorCode } from './errors/codes.js';
export type { SessionGrant, SessionKey } from './session/grant.js';
export type { ScopedGrant } from './session/scoped-grant.js';
export type { CreateStream, PublishStream, StreamPublisher, StreamPublishOptions } from './stream/types.js';
export type {
  Authorization,
  Authorize,
  DisconnectResult,
  DisconnectSelector,
  Publish,
  PublishOptions,
  PublishResult,
  Realtime,
  RealtimeFailure,
  RealtimeOptions,
  RealtimeTokenPermissions,
  ResolverRequest,
  SecretStore,
  ScopeOptions,
  SignRealtimeToken,
  StateProperties,
  TokenOptions,
  TokenResult,
} from './backend/types.js';
