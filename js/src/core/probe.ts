// Detects whether this page may compile WebAssembly. Forge's Content-Security-Policy forbids it unless the app's manifest
// requests `unsafe-eval`. An attempt violates the policy: the console shows it, and Atlassian receives a report.

const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** Returns whether the page has Forge's bridge, which the platform installs before the app's scripts run. */
export function isForgePage(): boolean {
  const bridge = (globalThis as { __bridge?: { callBridge?: unknown } | null }).__bridge;
  return typeof bridge?.callBridge === 'function';
}

/** Returns whether the browser can decompress the module: Firefox from 113 on, Safari from 16.4 on. */
export function canDecompress(): boolean {
  return typeof DecompressionStream === 'function';
}

/**
 * Compiles the smallest possible module, which throws at once and without a request if the policy forbids it. On a page of
 * Forge it tries nothing and returns false: an app that has requested `unsafe-eval` sets the option `core`. It also returns false
 * if the browser cannot decompress the module.
 */
export function wasmAllowed(): boolean {
  if (isForgePage() || !canDecompress()) return false;
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
