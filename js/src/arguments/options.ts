// Checks options that several calls share.

import { SealwireError } from '../errors/sealwire-error.js';
import { invalid, kindOf } from './invalid.js';

const MAX_REPLAY_SECONDS = 120;

export function checkOptions(options: unknown): Record<string, unknown> {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object' || Array.isArray(options)) {
    throw invalid(`The options must be an object, not ${kindOf(options)}.`);
  }
  return options as Record<string, unknown>;
}

/** Checks a channel token. Null is refused: signRealtimeToken() returns it together with errors. */
export function checkToken(token: unknown): string | undefined {
  if (token === undefined) return undefined;
  if (typeof token === 'string' && token !== '') return token;
  const what = token === '' ? 'an empty string' : kindOf(token);
  throw invalid(`The option token must be what signRealtimeToken() returned as token, not ${what}.`);
}

export function checkReplaySeconds(seconds: unknown): number | undefined {
  if (seconds === undefined) return undefined;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0) {
    throw invalid(`The option replaySeconds must be a whole number from 0 to ${MAX_REPLAY_SECONDS}.`);
  }
  if (seconds > MAX_REPLAY_SECONDS) {
    const message = `The option replaySeconds is ${seconds}; a relay keeps at most ${MAX_REPLAY_SECONDS} seconds.`;
    throw new SealwireError('REPLAY_TOO_LONG', message);
  }
  return seconds;
}

export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== 'function') throw invalid(`${what} must be a function, not ${kindOf(value)}.`);
}
