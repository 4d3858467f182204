// Carries an error's code from a resolver function to the page. The platform hands on the message of what a resolver
// function threw, and nothing else, so the code travels at its end.

import { SealwireError } from '../errors/sealwire-error.js';

const MARK = /\s*\[sealwire:([A-Z_]+)\]/;

/** In the resolver: the error to throw. */
export function withCodeInMessage(error: SealwireError): SealwireError {
  const marked = `${error.message} [sealwire:${error.code}]`;
  return new SealwireError(error.code, marked, { cause: error.cause });
}

/** On the page: the code that the message carries, if it does. */
export function splitCode(message: string): { code: string | undefined; message: string } {
  const found = MARK.exec(message);
  return found ? { code: found[1], message: message.replace(MARK, '') } : { code: undefined, message };
}
