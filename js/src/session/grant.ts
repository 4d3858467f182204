// What a session is, as the resolver function `sealwire:session` answers it.

import { SealwireError } from '../errors/sealwire-error.js';

/** Key material of one encryption key version, in base64url. */
export interface SessionKey {
  id: string;
  /**
   * The keys of all subsets of this session's context, 32 bytes each, one after the other. Bit n of a key's place says
   * whether its scope keeps property number n, counted in the order of the properties' bytes.
   */
  scopes: string;
}

/** Everything a browser needs to join the channels of its own context. Holds keys: never log it. */
export interface SessionGrant {
  /** The relay's WebSocket address. */
  url: string;
  token: string;
  /** Unix seconds. */
  expiresAt: number;
  app: string;
  installation: string;
  /** Property name to value, as the token's `ctx`. */
  context: Record<string, string>;
  /** Newest first. */
  keys: SessionKey[];
}

function isKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, scopes } = value as Partial<SessionKey>;
  return typeof id === 'string' && typeof scopes === 'string';
}

const SHAPE = {
  url: (value: unknown) => typeof value === 'string',
  token: (value: unknown) => typeof value === 'string',
  expiresAt: (value: unknown) => typeof value === 'number',
  app: (value: unknown) => typeof value === 'string',
  installation: (value: unknown) => typeof value === 'string',
  context: (value: unknown) => typeof value === 'object' && value !== null,
  keys: (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isKey),
} satisfies Record<keyof SessionGrant, (value: unknown) => boolean>;

/** Says which field is at fault, never what it holds. A mistake of the app, which trying again does not mend. */
export function checkGrant(value: unknown, source: string): SessionGrant {
  const grant = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const wrong = Object.entries(SHAPE).find(([field, holds]) => !holds(grant[field]));
  if (!wrong) return value as SessionGrant;
  throw new SealwireError(
    'INVALID_ARGUMENT',
    `${source} did not return a session: its ${wrong[0]} is missing or of the wrong type.`,
  );
}
