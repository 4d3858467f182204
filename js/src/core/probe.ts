// Whether this page may compile WebAssembly. Forge's Content-Security-Policy forbids it unless the app's manifest asks
// for `unsafe-eval`.

const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** Compiles the smallest module there is. A policy that forbids it makes that throw, at once and without a request. */
export function wasmAllowed(): boolean {
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
