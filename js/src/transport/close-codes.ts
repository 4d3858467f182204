// The WebSocket close codes (RFC 6455, section 7.4) that a page uses or reports itself. The relay's own codes, 44xx and
// 45xx, are in errors/codes.ts.

export const CloseCode = {
  /** The client ended the connection. */
  Normal: 1000,
  /** The connection ended in good order and is to be made again. */
  GoingAway: 1001,
  /** The connection was lost, or never opened. No endpoint sends this code. */
  Lost: 1006,
  /** The relay did not answer in time, as for HEARTBEAT_TIMEOUT. */
  TimedOut: 4408,
} as const;
