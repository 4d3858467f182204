// A clock that is not set: durations are measured on it.

/** Milliseconds on the monotonic clock, or on the wall clock where an environment of tests has no `performance`. */
export function monotonicMs(): number {
  return globalThis.performance?.now() ?? Date.now();
}
