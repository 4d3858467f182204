// The face of the Rust functions that mint and seal for resolvers. They take and return plain objects and have no
// clock of their own.

import type { SessionGrant } from '../session/grant.js';

/** What one installation keeps secret. Times in Unix seconds, keys in base64url, newest key first. */
export interface InstallationSecret {
  version: 1;
  /** Never changes: it names channels with custom claims. */
  routing: string;
  keys: { key: string; createdAt: number }[];
}

export type Permission = 'subscribe' | 'publish';

export interface MintSession {
  signingKey: string;
  app: string;
  installation: string;
  account: string;
  context: Record<string, string>;
  can: Permission[];
  lifetimeSeconds?: number;
  nowSeconds: number;
}

export interface SignChannelToken {
  signingKey: string;
  app: string;
  installation: string;
  channel: string;
  claimsJson: string;
  can?: Permission[];
  lifetimeSeconds?: number;
  nowSeconds: number;
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
  /** The app's own. */
  idempotencyId?: string;
  nowMs: number;
}

export interface ResolverModule {
  newInstallationSecret(nowSeconds: number): InstallationSecret;
  /** Adds a key, and drops those that were replaced longer than the overlap ago. */
  rotate(secret: InstallationSecret, nowSeconds: number): InstallationSecret;
  mintSession(session: MintSession, secret: InstallationSecret): Omit<SessionGrant, 'url'>;
  signChannelToken(token: SignChannelToken, secret: InstallationSecret): { token: string; expiresAt: number };
  mintBackendToken(token: MintBackendToken): string;
  /** `sealed` in base64, `id` 16 random bytes in base64url. */
  seal(message: Seal, secret: InstallationSecret): { sealed: string; id: string };
}
