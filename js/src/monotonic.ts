// The clock for durations, which nobody can set.

/** Returns milliseconds on the monotonic clock, or on the wall clock if a test environment has no `performance`. */
export function monotonicMs(): number {
  return globalThis.performance?.now() ?? Date.now();
}
