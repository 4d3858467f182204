// Checks the lifetime of a session or a channel token.

import { invalid } from './invalid.js';

const MAX_LIFETIME_SECONDS = 24 * 60 * 60;

export function checkLifetime(seconds: unknown, option: string): number | undefined {
  if (seconds === undefined) return undefined;
  const whole = typeof seconds === 'number' && Number.isInteger(seconds);
  if (whole && seconds > 0 && seconds <= MAX_LIFETIME_SECONDS) return seconds;
  throw invalid(
    `The option ${option} must be a whole number of seconds from 1 to ${MAX_LIFETIME_SECONDS} (24 hours).`,
  );
}
