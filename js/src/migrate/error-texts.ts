// The error texts of Forge Realtime, with the codes of Sealwire for the same cause. docs/forge.md has the same table; a test
// compares both with the sources of @forge/bridge and @forge/realtime.

/** A text of Forge Realtime, and the codes that take its place. */
export interface ErrorText {
  text: string;
  codes: readonly string[];
}

export const ERROR_TEXTS: readonly ErrorText[] = [
  { text: 'RATE_LIMIT_EXCEEDED', codes: ['RATE_LIMITED'] },
  { text: 'Realtime token validation failed: ', codes: ['TOKEN_MALFORMED'] },
  { text: 'INVALID_TOKEN', codes: ['TOKEN_MALFORMED'] },
  { text: 'TOKEN_EXPIRED', codes: ['TOKEN_EXPIRED'] },
  { text: 'CHANNEL_NAME_MISMATCH', codes: ['TOKEN_CHANNEL'] },
  { text: 'MISSING_PERMISSION', codes: ['PERMISSION_MISSING'] },
  { text: 'Error publishing event to channel', codes: ['UNREACHABLE', 'OVERLOADED'] },
  { text: 'Error signing realtime token', codes: ['SESSION_UNAVAILABLE'] },
  { text: 'Invalid value for contextOverrides.', codes: ['INVALID_ARGUMENT'] },
  { text: 'Forge runtime not found.', codes: ['INVALID_ARGUMENT'] },
  {
    text: 'Unable to establish a connection with the Custom UI bridge.',
    codes: ['SESSION_UNAVAILABLE'],
  },
];

/** Returns the codes for a string of the app's source that contains an error text of Forge Realtime. */
export function codesFor(source: string): readonly string[] | undefined {
  if (source.trim() === '') return undefined;
  const known = ERROR_TEXTS.find(
    ({ text }) => source === text || (text.includes(' ') && source.includes(text)),
  );
  return known?.codes;
}
