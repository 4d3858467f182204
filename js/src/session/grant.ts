// A session, as the app's resolver function `sealwire:session` returns it to a page.

import { SealwireError } from '../errors/sealwire-error.js';

/**
 * The reason for which the core requests a session: to `connect`, to `refresh` a session before it expires, or because a
 * message is sealed with an `unknown-key`.
 */
export type SessionReason = 'connect' | 'refresh' | 'unknown-key';

/** A page's request for a session: JSON, to be sent to the backend as it is. */
export interface SessionRequest {
  reason: SessionReason;
  /** The public key of a page that signs, which the session certifies: a point of P-256, 65 bytes in base64url. */
  publicKey?: string;
}

/** The key material of one version of the encryption key. */
export interface SessionKey {
  /** The id of the version, in base64url. */
  id: string;
  /**
   * The keys of all subsets of the session's context, in base64url: 32 bytes each, one after the other. Bit n of a key's
   * index tells whether its scope keeps property number n, counted in the byte order of the properties.
   */
  scopes: string;
  /**
   * The public key that verifies the messages of functions and the certificates of pages under this version: a point of P-256 without compression,
   * 65 bytes in base64url.
   */
  signer: string;
  /**
   * The certificate, in base64url, of the page's public key under this version: the statement that the key belongs to the
   * session's account until the session expires. Present if the request had a public key and the user has an account.
   */
  certificate?: string;
}

/** Everything that a page needs to use the channels of its own context. It contains keys: never log it. */
export interface SessionGrant {
  /** The WebSocket address of the relay. */
  url: string;
  /** The session token, which the relay verifies. */
  token: string;
  /**
   * The time at which the backend created the session, by its own clock, in Unix milliseconds. The page dates its messages
   * by this clock and refuses old ones by it.
   */
  issuedAtMs: number;
  /** The time at which the token expires, in Unix seconds. */
  expiresAt: number;
  /** The app's id at the relay. */
  app: string;
  /** The installation of the app. */
  installation: string;
  /** Property names and values, as in the token's `ctx`. With `nameTagKey`, the values are tags. */
  context: Record<string, string>;
  /** The key material, newest version first. */
  keys: SessionKey[];
  /**
   * The key with which a page of an app with `blindNames` tags channel and event names, in base64url; absent if the relay sees
   * the names themselves.
   */
  nameTagKey?: string;
}

function isKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, scopes, signer, certificate = '' } = value as Partial<SessionKey>;
  return [id, scopes, signer, certificate].every((text) => typeof text === 'string');
}

const SHAPE = {
  url: (value: unknown) => typeof value === 'string',
  token: (value: unknown) => typeof value === 'string',
  issuedAtMs: (value: unknown) => typeof value === 'number',
  expiresAt: (value: unknown) => typeof value === 'number',
  app: (value: unknown) => typeof value === 'string',
  installation: (value: unknown) => typeof value === 'string',
  context: (value: unknown) => typeof value === 'object' && value !== null,
  keys: (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isKey),
  nameTagKey: (value: unknown) => value === undefined || typeof value === 'string',
} satisfies Record<keyof SessionGrant, (value: unknown) => boolean>;

/**
 * Checks the shape of a session. The error names the wrong field and never its value. It is a mistake of the app, which a
 * retry does not correct.
 */
export function checkGrant(value: unknown, source: string): SessionGrant {
  const grant = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const wrong = Object.entries(SHAPE).find(([field, holds]) => !holds(grant[field]));
  if (!wrong) return value as SessionGrant;
  throw new SealwireError(
    'INVALID_ARGUMENT',
    `${source} did not return a session: its ${wrong[0]} is missing or of the wrong type.`,
  );
}

/** The characters of a public key in base64url of which each stands for six of its bits alone. */
const KEY_CHARACTERS = 86;

/**
 * Returns the grant with certificates of this public key only. A function of the app may return a session that it has kept for
 * another page.
 */
export function certifiedFor(grant: SessionGrant, publicKey: string | undefined): SessionGrant {
  const start = publicKey?.slice(0, KEY_CHARACTERS);
  const keys = grant.keys.map(({ certificate, ...key }) =>
    certificate !== undefined && start !== undefined && certificate.startsWith(start)
      ? { ...key, certificate }
      : key,
  );
  return { ...grant, keys };
}
