// Whether this page may compile WebAssembly. Forge's Content-Security-Policy forbids it unless the app's manifest asks
// for `unsafe-eval`, and an attempt is a violation of the policy: the console shows it, and Atlassian gets a report of it.

const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** A page with Forge's bridge, which the platform puts there before the app's scripts run. */
export function isForgePage(): boolean {
  const bridge = (globalThis as { __bridge?: { callBridge?: unknown } | null }).__bridge;
  return typeof bridge?.callBridge === 'function';
}

/**
 * Compiles the smallest module there is. A policy that forbids it makes that throw, at once and without a request. Nothing
 * is tried on a page of Forge: an app that has asked for `unsafe-eval` says so with the option `core`.
 */
export function wasmAllowed(): boolean {
  if (isForgePage()) return false;
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
