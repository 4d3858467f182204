// The resolver core as WebAssembly, for Node.js. Forge bundles functions and would lose a file beside them, so the
// bytes are in the text; and functions call it like any other code, so it is compiled at the first call, in place.
import * as core from './core.js';
import base64 from './core_bg.wasm';

let loaded = false;

export function load() {
  if (!loaded) {
    core.initSync({ module: new WebAssembly.Module(Buffer.from(base64, 'base64')) });
    loaded = true;
  }
  return core;
}
