// Reports what failed in a call's result, in the shape of @forge/realtime. What a call was given wrongly is thrown.

import { SealwireError } from '../errors/sealwire-error.js';
import { errorFromCore } from '../errors/from-core.js';
import type { Deadline } from './deadline.js';
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

/** The error of a call whose installation's secret did not come in time. */
export function lateSecret(deadline: Deadline): SealwireError {
  const message = `The secret of this installation was not read ${deadline.text}: Forge's storage, or the option secrets, was slow. The relay was not asked.`;
  return new SealwireError('SESSION_UNAVAILABLE', message);
}
