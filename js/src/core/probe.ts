// Detects whether this page may compile WebAssembly. Forge's Content-Security-Policy forbids it unless the app's manifest
// requests `unsafe-eval`. An attempt violates the policy: the console shows it, and Atlassian receives a report.

const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** Returns whether the page has Forge's bridge, which the platform installs before the app's scripts run. */
export function isForgePage(): boolean {
  const bridge = (globalThis as { __bridge?: { callBridge?: unknown } | null }).__bridge;
  return typeof bridge?.callBridge === 'function';
}

/**
 * Compiles the smallest possible module, which throws at once and without a request if the policy forbids it. On a page of
 * Forge it tries nothing and returns false: an app that has requested `unsafe-eval` sets the option `core`.
 */
export function wasmAllowed(): boolean {
  if (isForgePage()) return false;
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
