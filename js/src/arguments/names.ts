// Checks the names of channels and events.

import { SealwireError } from '../errors/sealwire-error.js';
import { invalid, kindOf } from './invalid.js';
import { ILL_FORMED, isWellFormed } from './well-formed.js';

const MAX_NAME_BYTES = 255;

/** Returns the number of bytes of a text in UTF-8, without TextEncoder, which Jest's jsdom environment lacks. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) bytes += unit > 0x7ff ? 2 : 1;
    // A surrogate pair has four bytes, not three per half.
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00;
    if (isPair) bytes -= 2;
  }
  return bytes;
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

/** Checks the name of an event. Undefined is the unnamed event. */
export function checkEventName(event: unknown): string {
  if (event === undefined) return '';
  if (typeof event !== 'string')
    throw invalid(`The option eventName must be a string, not ${kindOf(event)}.`);
  checkText('event name', event);
  return event;
}
