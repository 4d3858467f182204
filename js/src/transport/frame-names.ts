// The names of the messages on the wire, by the field number of the frame. The list is the one of
// protocol/proto/sealwire/v1/realtime.proto; a test compares them through tests/vectors/frames.json.

const TO_RELAY = [
  'Hello',
  'Refresh',
  'Subscribe',
  'Unsubscribe',
  'Publish',
  'Pong',
  'Ping',
  'Session',
  'End',
  'PresenceEnter',
  'PresenceLeave',
  'PresenceWatch',
  'PresenceUnwatch',
];

const TO_CLIENT = [
  'Welcome',
  'Refreshed',
  'Subscribed',
  'Unsubscribed',
  'Publication',
  'Published',
  'Failed',
  'Ended',
  'Goodbye',
  'Ping',
  'Pong',
  'Session',
  'PresenceAccepted',
  'Presence',
  'PresenceEnded',
];

/** The direction of a frame, from the page's point of view. */
export type Direction = 'sent' | 'received';

/** Returns the kind of message in a frame, from its first byte: the number of the field and the type of its value. */
export function frameName(direction: Direction, frame: Uint8Array): string {
  const names = direction === 'sent' ? TO_RELAY : TO_CLIENT;
  return names[((frame[0] ?? 0) >> 3) - 1] ?? 'Unknown';
}
