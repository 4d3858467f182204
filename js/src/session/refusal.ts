// Carries an error's code from a resolver function to the page. The platform hands on the message of what a resolver
// function threw, and nothing else, so the code travels at its end.

import { messageOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';

const MARK = /\s*\[sealwire:([A-Z_]+)\]/;

/** In the resolver: the error to throw. */
export function withCodeInMessage(error: SealwireError): SealwireError {
  const marked = `${error.message} [sealwire:${error.code}]`;
  return new SealwireError(error.code, marked, { cause: error.cause });
}

/** On the page: the error that the resolver threw, if `thrown` carries one. */
export function refusalIn(thrown: unknown): SealwireError | undefined {
  const message = messageOf(thrown);
  const code = MARK.exec(message)?.[1];
  return code === undefined
    ? undefined
    : new SealwireError(code, message.replace(MARK, ''), { cause: thrown });
}
