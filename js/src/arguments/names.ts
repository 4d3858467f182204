// Checks the names that a channel and an event may have.

import { SealwireError } from '../errors/sealwire-error.js';
import { invalid, kindOf } from './invalid.js';
import { ILL_FORMED, isWellFormed } from './well-formed.js';

const MAX_NAME_BYTES = 255;

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function checkText(what: string, name: string): void {
  if (!isWellFormed(name)) throw new SealwireError('NAME_INVALID', `The ${what} ${ILL_FORMED}`);
  const bytes = byteLength(name);
  if (bytes > MAX_NAME_BYTES) {
    throw new SealwireError(
      'NAME_INVALID',
      `The ${what} has ${bytes} bytes; the limit is ${MAX_NAME_BYTES}.`,
    );
  }
}

export function checkChannelName(channel: unknown): string {
  if (typeof channel !== 'string')
    throw invalid(`The channel name must be a string, not ${kindOf(channel)}.`);
  if (channel === '') throw new SealwireError('NAME_INVALID', 'The channel name is empty.');
  checkText('channel name', channel);
  return channel;
}

/** Absent means the unnamed event. */
export function checkEventName(event: unknown): string {
  if (event === undefined) return '';
  if (typeof event !== 'string')
    throw invalid(`The option eventName must be a string, not ${kindOf(event)}.`);
  checkText('event name', event);
  return event;
}
