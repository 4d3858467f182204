// Reports what failed in a call's result, in the shape of @forge/realtime. What a call was given wrongly is thrown.

import { errorFromCore } from '../errors/from-core.js';
import { RelayRefusal } from './relay-request.js';
import type { RealtimeFailure } from './types.js';

export function failuresOf(thrown: unknown): RealtimeFailure[] {
  const error = errorFromCore(thrown);
  return [
    {
      message: error.message,
      code: error.code,
      ...(error instanceof RelayRefusal && { status: error.status }),
      ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    },
  ];
}
