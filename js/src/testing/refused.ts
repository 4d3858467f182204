// Creates the errors of the test relay: plain objects, as the real core throws them.

import type { CoreError } from '../errors/core-error.js';
import type { ErrorCode } from '../errors/codes.js';

export function refused(code: ErrorCode, message: string): CoreError {
  return { code, message };
}

/** Converts the error of a publish that waited in vain. The relay accepts a message at once, so it never received this one. */
export function unsent({ code, message }: CoreError): CoreError {
  return { code, message: `${message.replace(/\.$/, '')}; the message was not sent`, mayHaveArrived: false };
}
