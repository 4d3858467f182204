// The browser core as WebAssembly. xtask bundles this file with the output of wasm-bindgen. The text is the compressed module in
// base64: a server's compression adds nothing to it, and the module as uncompressed text would be a sixth larger after it.
import start, * as core from './core.js';
import base64 from './core_bg.zlib';

let loading;

function compressed() {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Returns a response whose module the browser compiles while it decompresses it. A stream of a Blob would take 10 ms longer. */
function response() {
  const bytes = new Response(compressed()).body.pipeThrough(new DecompressionStream('deflate'));
  return new Response(bytes, { headers: { 'Content-Type': 'application/wasm' } });
}

export function load() {
  loading ??= start({ module_or_path: response() }).then(() => core);
  return loading;
}
