// The resolver core as WebAssembly, for Node.js. Forge bundles functions and would lose a separate file, so the bytes are
// part of the text. Functions call the core synchronously, so the first call compiles it.
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
