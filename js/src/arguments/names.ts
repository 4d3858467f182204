// Checks the names that a channel and an event may have.

import { SealwireError } from '../errors/sealwire-error.js';
import { invalid, kindOf } from './invalid.js';

const MAX_NAME_BYTES = 255;

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function checkLength(what: string, name: string): void {
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
  checkLength('channel name', channel);
  return channel;
}

/** Absent means the unnamed event. */
export function checkEventName(event: unknown): string {
  if (event === undefined) return '';
  if (typeof event !== 'string')
    throw invalid(`The option eventName must be a string, not ${kindOf(event)}.`);
  checkLength('event name', event);
  return event;
}
