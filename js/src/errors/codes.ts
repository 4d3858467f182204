// All error codes, each with its number on the wire and its WebSocket close code, and those after which a retry can succeed. The
// lists are those of protocol/src/codes.rs; a test compares them through tests/vectors/codes.json. A page needs only the second one,
// and its bundler leaves the first one out.

export const codes = [
  ['MALFORMED_FRAME', 1, 4400],
  ['TEXT_FRAME', 2, 4400],
  ['FRAME_TOO_LARGE', 3, 4413],
  ['HELLO_EXPECTED', 4, 4400],
  ['HELLO_TIMEOUT', 5, 4408],
  ['HEARTBEAT_TIMEOUT', 6, 4408],
  ['MALFORMED_REQUEST', 7, 4400],
  ['REQUEST_TOO_LARGE', 8, 4413],
  ['IDLE_TIMEOUT', 9, 4408],
  ['ORIGIN_REFUSED', 10, 4403],

  ['TOKEN_MALFORMED', 20, 4401],
  ['TOKEN_ALGORITHM', 21, 4401],
  ['TOKEN_UNKNOWN_KEY', 22, 4401],
  ['TOKEN_SIGNATURE', 23, 4401],
  ['TOKEN_EXPIRED', 24, 4401],
  ['TOKEN_NOT_YET_VALID', 25, 4401],
  ['TOKEN_LIFETIME', 26, 4401],
  ['TOKEN_AUDIENCE', 27, 4401],
  ['TOKEN_APP', 28, 4401],
  ['TOKEN_INSTALLATION', 29, 4403],
  ['TOKEN_CHANNEL', 30, 4403],
  ['TOKEN_IDENTITY', 31, 4403],

  ['SCOPE_REFUSED', 40, 4403],
  ['PERMISSION_MISSING', 41, 4403],
  ['NAME_INVALID', 42, 4400],
  ['MESSAGE_SIZE', 43, 4413],
  ['TOO_MANY_SUBSCRIPTIONS', 44, 4429],
  ['NOT_SUBSCRIBED', 45, 4400],
  ['REPLAY_TOO_LONG', 46, 4400],
  ['ID_REUSED', 47, 4400],
  ['FILTER_TOO_LARGE', 48, 4413],
  ['MEMBER_CONFLICT', 49, 4403],
  ['ENTRY_OUTDATED', 50, 4400],
  ['TOO_MANY_MEMBERS', 51, 4429],
  ['TOO_MANY_PRESENCES', 52, 4429],
  ['PRESENCE_UNSUPPORTED', 53, 4400],

  ['RATE_LIMITED', 60, 4429],
  ['SLOW_CONSUMER', 61, 4429],
  ['OVERLOADED', 62, 4503],
  ['SHUTTING_DOWN', 63, 4503],
  ['BROKER_UNAVAILABLE', 64, 4503],
  ['REVOKED', 65, 4403],
  ['TOO_MANY_CONNECTIONS', 66, 4429],

  ['MESSAGE_UNREADABLE', 80, 4400],
  ['GAP', 81, 4400],
  ['SESSION_UNAVAILABLE', 82, 4503],
  ['UNREACHABLE', 83, 4503],
  ['INVALID_ARGUMENT', 84, 4400],
  ['CLOSED', 85, 4400],
  ['MESSAGE_STALE', 86, 4400],
  ['SENDER_UNVERIFIED', 87, 4400],
  ['SIGNING_UNAVAILABLE', 88, 4400],
  ['EGRESS_BLOCKED', 90, 4403],
] as const satisfies readonly (readonly [string, number, number])[];

/** The codes for a broken text stream. They concern its two ends only, so the protocol has no number for them. */
export type StreamErrorCode = 'STREAM_FAILED' | 'STREAM_SILENT' | 'STREAM_RESTARTED';

/** The code for a call that the app's signal cancelled. */
export type CallErrorCode = 'ABORTED';

/** The stable code of a SealwireError. A code never changes its meaning. */
export type ErrorCode = (typeof codes)[number][0] | StreamErrorCode | CallErrorCode;

/** The codes after which a retry can succeed later. */
const RETRYABLE: ReadonlySet<string> = /* @__PURE__ */ new Set<ErrorCode>([
  'HELLO_TIMEOUT',
  'HEARTBEAT_TIMEOUT',
  'IDLE_TIMEOUT',
  'TOKEN_EXPIRED',
  'TOKEN_NOT_YET_VALID',
  'TOO_MANY_MEMBERS',
  'RATE_LIMITED',
  'SLOW_CONSUMER',
  'OVERLOADED',
  'SHUTTING_DOWN',
  'BROKER_UNAVAILABLE',
  'TOO_MANY_CONNECTIONS',
  'SESSION_UNAVAILABLE',
  'UNREACHABLE',
]);

/** Returns whether a retry can succeed later. It is false for a code that this version does not know. */
export function isRetryable(code: string): boolean {
  return RETRYABLE.has(code);
}

/** Returns whether the relay is only overloaded for the moment, so that the same request can succeed soon. */
export function isUnavailable(code: string): boolean {
  return isRetryable(code) && codes.some(([name, , close]) => name === code && close === 4503);
}
