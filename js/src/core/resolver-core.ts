// The interface of the Rust functions that mint tokens and seal messages for resolvers. They take and return plain objects
// and read no clock.

import type { SessionGrant } from '../session/grant.js';

/** The secret of one installation, as a SecretStore stores it. Never log it. */
export interface InstallationSecret {
  /** The version of this format. */
  version: 1;
  /** The key that tags custom claims and, with `blindNames`, names, in base64url. It never changes. */
  routing: string;
  /** The encryption keys in base64url with their creation times in Unix seconds, newest first. */
  keys: { key: string; createdAt: number; signing: SigningKey }[];
}

/**
 * A key pair of ECDSA with P-256, as the members of a JWK in base64url: the private key `d` and the point `x`, `y` of the
 * public key.
 */
export interface SigningKey {
  d: string;
  x: string;
  y: string;
}

/** Returns a signature by ECDSA with P-256 and SHA-256: 64 bytes, as IEEE P1363 defines. */
export type Sign = (text: Uint8Array, key: SigningKey) => Uint8Array;

/** A permission on a channel. `presence` permits a page to be a member of the channel's presence, and to watch it. */
export type Permission = 'subscribe' | 'publish' | 'presence';

export interface MintSession {
  signingKey: string;
  app: string;
  installation: string;
  account: string;
  context: Record<string, string>;
  can: Permission[];
  lifetimeSeconds?: number;
  nowSeconds: number;
  /** True if the session and its token have the tags of the context's values. The default is false. */
  blindNames?: boolean;
  /** The page's public key to certify for the account: 65 bytes in base64url. */
  publicKey?: string;
}

export interface SignChannelToken {
  signingKey: string;
  app: string;
  installation: string;
  channel: string;
  /** The claims as canonical JSON (RFC 8785). */
  claims: string;
  can?: Permission[];
  lifetimeSeconds?: number;
  nowSeconds: number;
  /** True if the token is for the tag of the channel name. The default is false. */
  blindNames?: boolean;
}

export interface MintBackendToken {
  signingKey: string;
  app: string;
  installation: string;
  nowSeconds: number;
}

export interface Seal {
  app: string;
  installation: string;
  scope: Record<string, string>;
  channel: string;
  token?: string;
  event: string;
  payload: string;
  /** The id that the app chose; by default the core chooses one. */
  idempotencyId?: string;
  nowMs: number;
  /** True if the relay sees tags in place of names. The default is false. */
  blindNames?: boolean;
}

/** The name behind a tag: that of a channel or an event, or the value of a property. */
export interface TaggedName {
  kind: 'channel' | 'event' | 'value';
  name: string;
}

/** A sealed message with its names for the relay, and the values by which the relay recognises a repetition. */
export interface Sealed {
  /** The scope, the channel name and the event name that the relay sees: with `blindNames`, tags. */
  scope: Record<string, string>;
  channel: string;
  event: string;
  /** In base64. */
  sealed: string;
  /** 16 bytes in base64url, random or derived from `idempotencyId`. */
  id: string;
  /** The digest of the content, 16 bytes in base64url, if the message has an `idempotencyId`. */
  content?: string;
  /** The argument of `settle()`. */
  ticket: number;
}

export interface ResolverModule {
  /** `signing` is a new key pair. */
  newInstallationSecret(nowSeconds: number, signing: SigningKey): InstallationSecret;
  /** Adds a key with a new key pair, and drops the keys whose overlap with their replacement has passed. */
  rotate(secret: InstallationSecret, nowSeconds: number, signing: SigningKey): InstallationSecret;
  /** Mints a session. `sign` certifies its `publicKey`. */
  mintSession(
    session: MintSession,
    secret: InstallationSecret,
    sign?: Sign,
  ): Omit<SessionGrant, 'url' | 'issuedAtMs'>;
  signChannelToken(token: SignChannelToken, secret: InstallationSecret): { token: string; expiresAt: number };
  mintBackendToken(token: MintBackendToken): string;
  /** Seals a message, signed by `sign`. Without it, the message is not signed. */
  seal(message: Seal, secret: InstallationSecret, sign?: Sign): Sealed;
  /** Records whether the relay accepted the first request with a message. Later messages of this process tell subscribers. */
  settle(ticket: number, accepted: boolean): void;
  /** Returns properties with the tags of their values. */
  tagValues(
    app: string,
    installation: string,
    context: Record<string, string>,
    secret: InstallationSecret,
  ): Record<string, string>;
  /** Returns the name behind a tag. Throws if the secret did not write it. */
  nameOf(app: string, installation: string, tag: string, secret: InstallationSecret): TaggedName;
}
