// The error texts of Forge Realtime, with the codes of Sealwire for the same causes. docs/forge.md has the same table; a test
// compares both with the sources of @forge/bridge and @forge/realtime.

/** A text of Forge Realtime, and the codes that take its place. */
export interface ErrorText {
  text: string;
  codes: readonly string[];
}

export const ERROR_TEXTS: readonly ErrorText[] = [
  { text: 'RATE_LIMIT_EXCEEDED', codes: ['RATE_LIMITED'] },
  {
    text: 'Realtime token validation failed: ',
    codes: ['TOKEN_MALFORMED', 'TOKEN_EXPIRED', 'TOKEN_CHANNEL', 'PERMISSION_MISSING'],
  },
  { text: 'INVALID_TOKEN', codes: ['TOKEN_MALFORMED'] },
  { text: 'TOKEN_EXPIRED', codes: ['TOKEN_EXPIRED'] },
  { text: 'CHANNEL_NAME_MISMATCH', codes: ['TOKEN_CHANNEL'] },
  { text: 'MISSING_PERMISSION', codes: ['PERMISSION_MISSING'] },
  { text: 'Error publishing event to channel.', codes: ['UNREACHABLE', 'OVERLOADED'] },
  { text: 'Error signing realtime token', codes: ['SESSION_UNAVAILABLE'] },
  {
    text: 'Invalid value for contextOverrides. Please provide an array of valid context properties.',
    codes: ['INVALID_ARGUMENT'],
  },
  { text: 'Forge runtime not found.', codes: ['INVALID_ARGUMENT'] },
  { text: 'forge-proxy-error', codes: ['EGRESS_BLOCKED'] },
  { text: 'Unable to establish a connection with the Custom UI bridge.', codes: ['INVALID_ARGUMENT'] },
];

/** Returns the codes for a string of the app's source that is or contains an error text of Forge Realtime. */
export function codesFor(source: string): readonly string[] | undefined {
  const known = ERROR_TEXTS.find(
    ({ text }) => source === text || (text.includes(' ') && source.includes(text.replace(/[. :]+$/, ''))),
  );
  // Sealwire has a code of the same name.
  return known?.text === 'TOKEN_EXPIRED' ? undefined : known?.codes;
}
