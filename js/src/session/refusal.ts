// Carries an error's code from a resolver function to the page. The platform passes on nothing but the message of an
// exception, so the code travels at the end of the message.

import { messageOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';

const MARK = /\s*\[sealwire:([A-Z_]+)\]/;

/** Returns the error for a resolver function to throw, with its code in the message. */
export function withCodeInMessage(error: SealwireError): SealwireError {
  const marked = `${error.message} [sealwire:${error.code}]`;
  return new SealwireError(error.code, marked, { cause: error.cause });
}

/** Returns the error that the resolver threw, on the page; undefined if `thrown` carries no code. */
export function refusalIn(thrown: unknown): SealwireError | undefined {
  const message = messageOf(thrown);
  const code = MARK.exec(message)?.[1];
  return code === undefined
    ? undefined
    : new SealwireError(code, message.replace(MARK, ''), { cause: thrown });
}
