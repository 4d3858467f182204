// All error codes, each with its number on the wire, its WebSocket close code, and whether a retry can succeed. The list is
// the one of protocol/src/codes.rs; a test compares them through tests/vectors/codes.json.

export const codes = [
  ['MALFORMED_FRAME', 1, 4400, false],
  ['TEXT_FRAME', 2, 4400, false],
  ['FRAME_TOO_LARGE', 3, 4413, false],
  ['HELLO_EXPECTED', 4, 4400, false],
  ['HELLO_TIMEOUT', 5, 4408, true],
  ['HEARTBEAT_TIMEOUT', 6, 4408, true],
  ['MALFORMED_REQUEST', 7, 4400, false],
  ['REQUEST_TOO_LARGE', 8, 4413, false],
  ['IDLE_TIMEOUT', 9, 4408, true],
  ['ORIGIN_REFUSED', 10, 4403, false],

  ['TOKEN_MALFORMED', 20, 4401, false],
  ['TOKEN_ALGORITHM', 21, 4401, false],
  ['TOKEN_UNKNOWN_KEY', 22, 4401, false],
  ['TOKEN_SIGNATURE', 23, 4401, false],
  ['TOKEN_EXPIRED', 24, 4401, true],
  ['TOKEN_NOT_YET_VALID', 25, 4401, true],
  ['TOKEN_LIFETIME', 26, 4401, false],
  ['TOKEN_AUDIENCE', 27, 4401, false],
  ['TOKEN_APP', 28, 4401, false],
  ['TOKEN_INSTALLATION', 29, 4403, false],
  ['TOKEN_CHANNEL', 30, 4403, false],
  ['TOKEN_IDENTITY', 31, 4403, false],

  ['SCOPE_REFUSED', 40, 4403, false],
  ['PERMISSION_MISSING', 41, 4403, false],
  ['NAME_INVALID', 42, 4400, false],
  ['MESSAGE_SIZE', 43, 4413, false],
  ['TOO_MANY_SUBSCRIPTIONS', 44, 4429, false],
  ['NOT_SUBSCRIBED', 45, 4400, false],
  ['REPLAY_TOO_LONG', 46, 4400, false],
  ['ID_REUSED', 47, 4400, false],
  ['FILTER_TOO_LARGE', 48, 4413, false],
  ['MEMBER_CONFLICT', 49, 4403, false],
  ['ENTRY_OUTDATED', 50, 4400, false],
  ['TOO_MANY_MEMBERS', 51, 4429, true],
  ['TOO_MANY_PRESENCES', 52, 4429, false],
  ['PRESENCE_UNSUPPORTED', 53, 4400, false],

  ['RATE_LIMITED', 60, 4429, true],
  ['SLOW_CONSUMER', 61, 4429, true],
  ['OVERLOADED', 62, 4503, true],
  ['SHUTTING_DOWN', 63, 4503, true],
  ['BROKER_UNAVAILABLE', 64, 4503, true],
  ['REVOKED', 65, 4403, false],
  ['TOO_MANY_CONNECTIONS', 66, 4429, true],

  ['MESSAGE_UNREADABLE', 80, 4400, false],
  ['GAP', 81, 4400, false],
  ['SESSION_UNAVAILABLE', 82, 4503, true],
  ['UNREACHABLE', 83, 4503, true],
  ['INVALID_ARGUMENT', 84, 4400, false],
  ['CLOSED', 85, 4400, false],
  ['MESSAGE_STALE', 86, 4400, false],
  ['SENDER_UNVERIFIED', 87, 4400, false],
  ['SIGNING_UNAVAILABLE', 88, 4400, false],
  ['EGRESS_BLOCKED', 90, 4403, false],
] as const satisfies readonly (readonly [string, number, number, boolean])[];

/** The codes for a broken text stream. They concern its two ends only, so the protocol has no number for them. */
export type StreamErrorCode = 'STREAM_FAILED' | 'STREAM_SILENT' | 'STREAM_RESTARTED';

/** The code for a call that the app's signal cancelled. */
export type CallErrorCode = 'ABORTED';

/** The stable code of a SealwireError. A code never changes its meaning. */
export type ErrorCode = (typeof codes)[number][0] | StreamErrorCode | CallErrorCode;

/** Returns whether the relay is only overloaded for the moment, so that the same request can succeed soon. */
export function isUnavailable(code: string): boolean {
  return codes.some(([name, , close, retry]) => name === code && retry && close === 4503);
}

/** Returns whether a retry can succeed later. It is false for a code that this version does not know. */
export function isRetryable(code: string): boolean {
  return codes.some(([name, , , retry]) => name === code && retry);
}
