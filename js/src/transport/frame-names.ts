// The names of the messages on the wire, by field number of the frame. The list is that of
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
];

export type Direction = 'sent' | 'received';

/** What kind of message a frame is, from its first byte: the field's number and the kind of its value. */
export function frameName(direction: Direction, frame: Uint8Array): string {
  const names = direction === 'sent' ? TO_RELAY : TO_CLIENT;
  return names[((frame[0] ?? 0) >> 3) - 1] ?? 'Unknown';
}
