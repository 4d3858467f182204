// Why the test relay refuses something: what the real core throws, a plain object.

import type { CoreError } from '../core/core-error.js';
import type { ErrorCode } from '../errors/codes.js';

export function refused(code: ErrorCode, message: string): CoreError {
  return { code, message };
}

/** Of a publication that waited in vain: the test relay takes each at once, so it never had this one. */
export function unsent({ code, message }: CoreError): CoreError {
  return { code, message: `${message.replace(/\.$/, '')}; the message was not sent`, mayHaveArrived: false };
}
