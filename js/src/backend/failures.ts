// Converts an error into the `errors` of a call's result, in the shape of @forge/realtime.

import { SealwireError } from '../errors/sealwire-error.js';
import { errorFromCore } from '../errors/from-core.js';
import { UNASKED, type Deadline } from './deadline.js';
import { RelayRefusal } from './relay-request.js';
import type { RealtimeFailure } from './types.js';

export function failuresOf(thrown: unknown): RealtimeFailure[] {
  const error = errorFromCore(thrown);
  return [
    {
      message: error.message,
      code: error.code,
      ...(error instanceof RelayRefusal && error.status !== undefined && { status: error.status }),
      ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    },
  ];
}

/** Returns the error of a call if the installation's secret was not read in time. */
export function lateSecret(deadline: Deadline): SealwireError {
  const message = `The secret of this installation was not read ${deadline.text}: Forge's storage, or the option secrets, was slow. ${UNASKED}`;
  return new SealwireError('SESSION_UNAVAILABLE', message);
}
